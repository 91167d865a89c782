import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

/** Far more than it takes: what would go on for ever takes longer. */
const HANG_MS = 30_000

describe('a function ends soon with an error, not late with an output', () => {
  test.each([
    ['a long loop', '{{range loop 1000000000}}{{end}}', 'bound'],
    ['a loop over all integers', '{{range loop -9223372036854775808 9223372036854775807}}{{end}}', 'bound'],
    ['a deep margin', '{{indent 1000000000 "a"}}', 'execute'],
    [
      'a margin before many lines',
      '{{$x := printf "%01000000d" 0 | replaceAll "0" "a\\n"}}{{indent 1000 $x}}',
      'execute',
    ],
    ['a text for each letter', '{{$x := printf "%0100000d" 0}}{{replaceAll "" $x $x}}', 'execute'],
    ['a text for each match', '{{$x := printf "%0100000d" 0}}{{regexReplaceAll "" $x $x}}', 'bound'],
    ['a separator for each item', '{{$x := printf "%0100000d" 0}}{{split "" $x | join $x}}', 'bound'],
    [
      'a key of many parts',
      '{{$x := printf "%010000d" 0 | replaceAll "0" "a/"}}{{explodeMap (splitToMap "," ":" (print $x ":1"))}}',
      'execute',
    ],
    ['much printed in turns', '{{$l := until 100000}}{{range loop 1000}}{{$x := toJSON $l}}{{end}}', 'bound'],
    [
      'much parsed in turns',
      '{{$s := toJson (until 100000)}}{{range loop 1000}}{{$x := parseJSON $s}}{{end}}',
      'bound',
    ],
    [
      'much parsed with points',
      '{{$s := toJson (list 1.5) | repeat 100000 | replace "][" ","}}{{range loop 1000}}{{$x := parseJSON $s}}{{end}}',
      'bound',
    ],
    [
      'many times in turns',
      '{{$s := printf "a = [%s]" (repeat 100000 "07:32:00.5,")}}{{range loop 1000}}{{$x := parseTOML $s}}{{end}}',
      'bound',
    ],
    ['many words in turns', '{{$s := repeat 100000 "aB "}}{{range loop 1000}}{{$x := kebabcase $s}}{{end}}', 'bound'],
    ['many lines in turns', '{{$s := repeat 1000000 "a\\n"}}{{range loop 1000}}{{$x := indent 4 $s}}{{end}}', 'bound'],
    [
      'a template that executes itself',
      '{{define "a"}}{{executeTemplate "a" .}}{{end}}{{executeTemplate "a" .}}',
      'bound',
    ],
    ['many letters in turns', '{{$s := repeat 1000000 "a "}}{{range loop 1000}}{{$x := title $s}}{{end}}', 'bound'],
    ['a long expression', '{{regexMatch (printf "%020000d" 0) "a"}}', 'execute'],
    ['an expression of repetitions of repetitions', '{{regexMatch "((a{100}){100}){100}" "a"}}', 'execute'],
  ])(
    '%s',
    (_, text, code) => {
      const started = performance.now()

      expect(failureOf(text).code).toBe(code)
      expect(performance.now() - started).toBeLessThan(HANG_MS)
    },
    2 * HANG_MS,
  )

  test('an expression that makes others backtrack for ever', () => {
    const started = performance.now()

    expect(run('{{regexMatch "^(a+)+$" (print (printf "%0100000d" 0 | replaceAll "0" "a") "b")}}')).toBe('false')
    expect(performance.now() - started).toBeLessThan(HANG_MS)
  })
})

describe('an error names no value', () => {
  const dot = new Map<string, string>([
    ['text', 's3cret'],
    ['expression', 's3cret('],
    ['pair', 's3cret/x'],
  ])

  test.each([
    '{{parseInt .text}}',
    '{{parseUint .text}}',
    '{{parseFloat .text}}',
    '{{parseBool .text}}',
    '{{parseJSON .text}}',
    '{{parseYAML (print "[" .text)}}',
    '{{base64Decode .text}}',
    '{{executeTemplate .text}}',
    '{{add 1 .text}}',
    '{{range loop .text}}{{end}}',
    '{{regexMatch .expression "a"}}',
    '{{regexReplaceAll .expression "a" "b"}}',
    '{{mustRegexMatch .expression "a"}}',
    '{{regexFind .expression "a"}}',
    '{{sockaddr .expression}}',
    '{{sockaddr "GetInterfaceIP \\"" .expression "\\""}}',
    '{{explodeMap (mergeMap (splitToMap "," ":" (print .text "/x:1")) (splitToMap "," ":" (print .text ":2")))}}',
  ])('%s', text => {
    expect(messagesOf(failureOf(text, dot)).join('\n')).not.toContain('s3cret')
  })
})

/** The messages of an error and of what caused it. */
function messagesOf(error: unknown): readonly string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : []
}
