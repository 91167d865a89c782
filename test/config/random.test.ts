import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatProblem } from '../../lib/config/config.ts'
import { problemsOf } from './load.ts'

/** One for each place that may hold a credential. */
const SENTINELS = Array.from({ length: 9 }, (_, i) => `zQ${i}x7Kp4Vw9Rt2Lm`)
const [TOKEN, URL_USER, QUERY, HEADER, HOOK_USER, VARIABLE, EXPANDED, CONTENT, SECRET] = SENTINELS

const good = `# A comment
providers:
  repo: { type: git, url: "https://user:${URL_USER}@git.example.org/x?k=${QUERY}", ref: main, poll: 10s, token: ${TOKEN} }
  vault:
    type: vault
    address: "http://\${HOST}:8200"
    retries: 3
    tags: [a, b]
    labels: { a: b }
    secrets: { a: ${SECRET} }
    auth: { method: token, token: "\${TOKEN}" }
  env: { type: env, default: true }
bundles:
  web:
    volume: /run/config
    files:
      - { path: nginx.conf, template: nginx.tmpl, mode: "0640", owner: 0, group: www }
      - path: greeting.txt
        content: |
          Hello ${CONTENT}
        delims: ["<<", ">>"]
        missingKey: zero
      - { path: conf.d, tree: "repo://conf.d" }
      - { path: db.env, from: "repo://db.yaml", format: dotenv, dialect: shell, except: [a], upper: true }
    checks: [{ command: [nginx, -t], timeout: 5s }]
    hooks:
      - { name: a, signal: SIGHUP, process: nginx }
      - { http: "http://user:${HOOK_USER}@127.0.0.1:8080/x", method: POST, headers: { X-Token: ${HEADER} }, expect: [200] }
      - { command: [systemctl, reload], env: { A: ${VARIABLE} } }
    probe: &probe { http: "http://127.0.0.1:8080/healthz", for: 20s }
    settle: { quiet: 200ms, longest: 5s }
    keep: 3
  other:
    files: [{ path: /etc/app/x, content: x }]
    probe: *probe
state: /var/lib/o
admin: { listen: "127.0.0.1:9102" }
`

const options = {
  environment: { HOST: 'vault', TOKEN: EXPANDED as string },
  files: { '/etc/outrigger/nginx.tmpl': 'x' },
}

/** Replaces a piece of the text. */
interface Edit {
  readonly at: number
  readonly length: number
  readonly insert: string
}

const pieces = fc.oneof(
  fc.constantFrom(...'{ } [ ] : , # & * ! | > \' " % @ ` - ? $ \\ ~'.split(' '), ' ', '\n', '\t'),
  fc.constantFrom(
    '${',
    '$${',
    '${TOKEN}',
    '${X}',
    '<<: *probe',
    '&x ',
    '*x',
    '- ',
    '\n  ',
    '""',
    '[]',
    '{}',
    'null',
    'true',
  ),
  fc.constantFrom(
    'type',
    'token',
    'url',
    'providers',
    'bundles',
    'files',
    'path: ',
    '__proto__: ',
    '..',
    '/',
    '\0',
    '🎉',
  ),
  fc.string({ maxLength: 4 }),
)

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat({ max: good.length }),
  length: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 3 }), fc.nat({ max: 60 })),
  insert: fc.oneof({ weight: 3, arbitrary: pieces }, fc.constant('')),
})

/** An edit that cannot move a credential to where none belongs. */
const slip: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat({ max: good.length }),
  length: fc.constantFrom(0, 0, 1),
  insert: fc.oneof({ weight: 3, arbitrary: pieces }, fc.constant('')),
})

function apply(text: string, { at, length, insert }: Edit): string {
  return text.slice(0, at) + insert + text.slice(at + length)
}

test('the configuration that is mutated is right', async () => {
  expect(await problemsOf(good, options)).toEqual([])
})

test('a mutated configuration is taken, or refused with problems whose places are in the text, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async edits => {
      const text = edits.reduce(apply, good)
      const problems = await problemsOf(text, options)
      const lines = text.split('\n')
      let before = 0
      for (const problem of problems) {
        const line = lines[problem.line - 1]
        expect(line).toBeDefined()
        expect(problem.column).toBeGreaterThanOrEqual(1)
        expect(problem.column).toBeLessThanOrEqual((line as string).length + 1)
        expect(problem.message).toMatch(/^want .*, got /)
        const at = problem.line * 1e6 + problem.column
        expect(at).toBeGreaterThanOrEqual(before)
        before = at
        for (const shown of formatProblem(problem, text).split('\n').slice(1, 3))
          expect(shown.length).toBeLessThanOrEqual(80)
      }
    }),
    { numRuns: 500 },
  )
})

test('a mutated configuration shows no credential in its problems', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(slip, { minLength: 1, maxLength: 3 }), async edits => {
      const text = edits.reduce(apply, good)
      const problems = await problemsOf(text, options)
      const shown = problems.map(problem => formatProblem(problem, text)).join('\n')
      for (const sentinel of SENTINELS) expect(shown).not.toContain(sentinel)
    }),
    { numRuns: 500 },
  )
})

test('any text is taken or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 40 }), async parts => {
      const text = parts.join('')
      const problems = await problemsOf(text, options)
      expect(problems.map(problem => formatProblem(problem, text))).not.toContain('')
    }),
    { numRuns: 500 },
  )
})

test('any JSON as a bundle or a provider is refused or taken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (provider, bundle) => {
      const problems = await problemsOf(JSON.stringify({ providers: { provider }, bundles: { bundle } }), options)
      expect(problems.every(({ line }) => line === 1)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
