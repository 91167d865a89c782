import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

/** Two lists of two, of two lists of two, and so on: equal, endless, and hardly larger than their text. */
const ENDLESS = '{{$x := list 1 2}}{{$y := list 1 2}}{{range until 60}}{{$x = list $x $x}}{{$y = list $y $y}}{{end}}'
const CYCLE = '{{$x := dict}}{{$_ := set $x "x" $x}}'

describe('a template ends within a bound, and is told which, when it', () => {
  test.each([
    ['{{repeat 100000000 "x"}}', '16777216 characters'],
    ['{{nindent 16777217 "x"}}', '16777216 characters'],
    ['{{replace "" (repeat 10000 "y") (repeat 10000 "x")}}', '16777216 characters'],
    ['{{wrapWith 1 (repeat 10000 "y") (repeat 10000 "x")}}', '16777216 characters'],
    ['{{until 2000000}}', '1000000 items'],
    ['{{seq 0 1 2000000}}', '1000000 items'],
    ['{{untilStep 0 9223372036854775807 1}}', '1000000 items'],
    ['{{$x := list 1 2}}{{range until 30}}{{$x = concat $x $x}}{{end}}', '1000000 items'],
    [`${ENDLESS}{{deepEqual $x $y}}`, '10000000 steps'],
    [`${ENDLESS}{{has $x (list $y)}}`, '10000000 steps'],
    [`${ENDLESS}{{$z := deepCopy $x}}`, '1000000 items'],
    [
      '{{$x := dict}}{{$y := dict}}{{range until 60}}{{$x = dict "a" $x "b" $x}}{{$y = dict "a" $y "b" $y}}{{end}}{{merge $x $y}}',
      '10000000 steps',
    ],
    [`${ENDLESS}{{$x}}`, '67108864 characters'],
    [`${ENDLESS}{{toString $x}}`, '67108864 characters'],
    [`${ENDLESS}{{printf "%v" $x}}`, '67108864 characters'],
    [`${ENDLESS}{{toJson $x}}`, '67108864 characters'],
    [`${ENDLESS}{{toYAML $x}}`, '67108864 characters'],
    [`${CYCLE}{{$x}}`, 'nested too deeply'],
    [`${CYCLE}{{toJson $x}}`, 'nested too deeply'],
    [`${CYCLE}{{merge $x $x}}`, 'nested too deeply'],
  ])('would go on for ever: %s', (text, bound) => {
    const failure = failureOf(text)

    expect(failure.message).toContain(bound)
    expect(failure.code).toBe('bound')
  })
})

describe('a call that compares many with many ends within a bound, and is told which, when it', () => {
  test.each([
    '{{containsAny (until 50000) (splitList "," (repeat 50000 "a,"))}}',
    '{{$x := list}}{{range until 9000}}{{$x = append $x (dict "a" .)}}{{end}}{{uniq $x}}',
    '{{parseYAML (repeat 1000000 "[")}}',
    '{{range until 1000000}}{{$x := parseYAML "a: 1"}}{{end}}',
    '{{range until 1000000}}{{$x := encryptAES "a" "b"}}{{end}}',
    '{{range until 1000000}}{{$x := until 60}}{{end}}',
  ])('would take minutes: %s', text => {
    const failure = failureOf(text)

    expect(failure.message).toContain('10000000 steps')
    expect(failure.code).toBe('bound')
  })
})

test('a word that no line has room for is broken at once', () => {
  expect(run('{{wrapWith 1 "-" (repeat 60000 "x") | len}}')).toBe('119999')
})

test.each(['derivePassword 1 "pin" "a" "b" "c"', 'bcrypt "a"', 'genPrivateKey "ed25519"', 'genCA "a" 1'])(
  'a call that is slow on purpose counts for it: %s',
  call => {
    const failure = failureOf(`{{range until 1000}}{{$x := ${call}}}{{end}}`, { bounds: { stepsMax: 50_000 } })

    expect(failure.message).toContain('more than 50000 steps')
    expect(failure.code).toBe('bound')
  },
)

test('checking a certificate that is given counts as making one does', () => {
  const check = '{{$x := buildCustomCert (b64enc $ca.Cert) (b64enc $ca.Key)}}'

  expect(failureOf(`{{$ca := genCA "a" 1}}{{range 9}}${check}{{end}}`, { bounds: { stepsMax: 70_000 } }).code).toBe(
    'bound',
  )
})

/** Far more than it takes: what would go on for ever takes longer. */
const HANG_MS = 30_000

describe('no text takes longer than its length', () => {
  test.each([
    ['{{regexMatch "^(a+)+$" (print (repeat 30000 "a") "!")}}', 'false'],
    ['{{regexReplaceAllLiteral "(x*)*y" (repeat 3000 "x") "z" | len}}', '3000'],
    ['{{semverCompare (print (repeat 150 "1  ") "|| 1") "1.2"}}', 'true'],
    ['{{snakecase (repeat 100000 "aB ") | len}}', '400000'],
    ['{{atoi (repeat 1000000 "9")}}', '9223372036854775807'],
    ['{{int (repeat 1000000 "9")}}', '0'],
    ['{{uniq (until 200000) | len}}', '200000'],
    ['{{sprig_trim (repeat 1000000 " ") | len}}', '0'],
    ['{{sprig_trim (print "a" (repeat 1000000 " ") "a") | len}}', '1000002'],
  ])(
    'however it is made: %s',
    (text, output) => {
      const start = process.hrtime.bigint()

      const printed = run(text)

      expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(HANG_MS)
      expect(printed).toBe(output)
    },
    2 * HANG_MS,
  )
})

describe('what makes keys and hashes counts as what it takes, before it does it', () => {
  const EC = '(genPrivateKey "ecdsa")'
  test.each([
    ['genPrivateKey ""', 700],
    ['genPrivateKey "rsa"', 700],
    ['genPrivateKey "dsa"', 500],
    ['genPrivateKey "ecdsa"', 1],
    ['genPrivateKey "ed25519"', 1],
    ['genCA "ca" 1', 75],
    ['genSelfSignedCert "a" (list) (list) 1', 75],
    [`genSignedCert "a" (list) (list) 1 (genCAWithKey "ca" 1 ${EC})`, 75],
    [`genCAWithKey "ca" 1 ${EC}`, 1],
    [`genSelfSignedCertWithKey "a" (list) (list) 1 ${EC}`, 1],
    [`genSignedCertWithKey "a" (list) (list) 1 (genCAWithKey "ca" 1 ${EC}) ${EC}`, 1],
    [`genCAWithKey "ca" 1 (repeat ${2 * 3_243} "x")`, 56],
    ['bcrypt "password"', 90],
    ['htpasswd "user" "password"', 90],
    ['derivePassword 1 "long" "password" "user" "example.com"', 250],
  ])('%s', (expression, ms) => {
    expect(() => run(`{{${expression}}}`, { bounds: { stepsMax: ms * 2_000 } })).toThrow(
      expect.objectContaining({
        code: 'bound',
        message: expect.stringMatching(new RegExp(`more than ${ms * 2_000} steps$`)) as string,
      }) as Error,
    )
  })

  test('so that a template may make some, and not many', () => {
    const text = '{{range 10}}{{range $}}{{end}}{{$key := genPrivateKey "ecdsa"}}{{end}}'

    expect(run(text, { dot: 10 })).toBe('')
    expect(() => run(text, { dot: 10, bounds: { stepsMax: 10_000 } })).toThrow(/more than 10000 steps$/)
    expect(run('{{genPrivateKey "constructor"}}')).toBe('Unknown type constructor')
  })
})
