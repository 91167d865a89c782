import { describe, expect, test } from 'vitest'
import { OperationalError } from '../../lib/base/errors.ts'
import { ConfigError, formatProblem, type ConfigProblem } from '../../lib/config/config.ts'
import { FILE, load, problemsOf, type LoadOptions } from './load.ts'
import { bundle, inVolume } from './rows.ts'

const good = bundle(inVolume)
const SENTINEL = 's3nt1nel-9f8e7d'

async function formatted(text: string, options?: LoadOptions): Promise<readonly string[]> {
  return (await problemsOf(text, options)).map(problem => formatProblem(problem, text))
}

describe('formatProblem()', () => {
  test('shows place, path, message, the line with a caret, and the hint', async () => {
    const [text] = await formatted(`providers:\n  repo: { type: git, url: x, pol: 10s }\n${good}`)

    expect(text?.split('\n')).toEqual([
      `${FILE}:2:30: providers.repo.pol: want a key that is known here, got "pol"`,
      '    repo: { type: git, url: x, pol: … }',
      '                               ^',
      '    hint: did you mean "poll"?',
    ])
  })

  test('leaves out the path of what is wrong as a whole, and a line that is empty', async () => {
    expect(await formatted('')).toEqual([`${FILE}:1:1: want a mapping, got an empty value`])
  })

  test.each([
    ['at the beginning', `{ ${' '.repeat(4)}stat: "/s", x-a: ${'1'.repeat(200)}, ${good.slice(0, -1)} }`],
    [
      'in the middle',
      `{ state: "/${'x'.repeat(200)}", stat: 1, ${good.slice(0, -1)}, admin: { listen: "localhost:${'1'.repeat(4)}" } }`,
    ],
    ['at the end', `{ state: "/${'x'.repeat(200)}", ${good.slice(0, -1)}, stat: 1 }`],
    [
      'behind a long secret',
      `{ providers: { p: { type: git, url: x, token: "${'x'.repeat(200)}" } }, ${good.slice(0, -1)}, stat: 1 }`,
    ],
  ])('trims a long line to 80 columns around what is wrong %s', async (_where, input) => {
    const problem = (await problemsOf(input)).find(({ path }) => path === 'stat') as ConfigProblem
    const [, line = '', caret = ''] = formatProblem(problem, input).split('\n')

    expect(line.length).toBeLessThanOrEqual(80)
    expect(line.slice(caret.indexOf('^')).startsWith('stat')).toBe(true)
  })

  test('puts the caret right behind tabs and wide indentation', async () => {
    const input = `bundles:\n            web:\t{ volume:\t5,\t${inVolume.slice(inVolume.indexOf('files'))} }\n`
    const [, line = '', caret = ''] = (await formatted(input))[0]?.split('\n') ?? []

    expect(line.slice(caret.indexOf('^'))).toMatch(/^5, /)
    expect(line.startsWith('    web: {')).toBe(true)
  })

  test('says nothing of a line that the text no longer has', async () => {
    const [problem] = await problemsOf(`\n\nstat: 1\n${good}`)

    expect(formatProblem(problem as ConfigProblem, '').split('\n')).toHaveLength(2)
  })
})

describe('ConfigError', () => {
  test('is an error of operation whose message is the first problem', async () => {
    const error = await load(`stat: 1\nadmn: 1\n${good}`).catch((caught: unknown) => caught)

    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toBeInstanceOf(OperationalError)
    expect(error).toMatchObject({ code: 'bad-config', hint: 'did you mean "state"?' })
    expect((error as Error).message).toMatch(/outrigger\.yaml:1:1: stat: want .* \(and 1 more\)$/)
  })
})

describe('a value that may be secret is in no problem', () => {
  test.each<[string, string]>([
    ['beside a problem', `{ type: git, url: x, token: ${SENTINEL}, pol: 1 }`],
    ['under a misspelt key', `{ type: git, url: x, tokn: ${SENTINEL} }`],
    ['under an unknown key', `{ type: git, url: x, xyzzy: [${SENTINEL}, { a: ${SENTINEL} }] }`],
    ['of an unknown type', `{ type: gti, anything: ${SENTINEL} }`],
    ['of another kind', `{ type: vault, address: x, auth: { method: token, token: [${SENTINEL}] } }`],
    ['under an unknown method', `{ type: vault, address: x, auth: { method: tokn, token: ${SENTINEL} } }`],
    ['in a comment', `{ type: git, url: 5 } # ${SENTINEL}`],
    ['in a URL', `{ type: git, url: "https://user:${SENTINEL}@x/", pol: 1 }`],
    ['in a query', `{ type: git, url: "https://x/?token=${SENTINEL}", pol: 1 }`],
    ['as a user without a password', `{ type: git, url: "https://${SENTINEL}@x/", pol: 1 }`],
    ['as a key', `{ type: git, url: x, ${SENTINEL} }`],
    ['as a key of a record', `{ type: vault, address: 5, secrets: { a: ${SENTINEL} } }`],
    ['in a sensitive record of another kind', `{ type: vault, address: x, secrets: [${SENTINEL}] }`],
    ['as the type', `{ type: ${SENTINEL}, url: x }`],
    ['behind an anchor', `{ type: vault, address: &a ${SENTINEL}, level: x, auth: { method: token, token: *a } }`],
    ['from the environment', '{ type: vault, address: x, level: "${SECRET}", retries: "${SECRET}" }'],
    ['from the environment, as a type', '{ type: "${SECRET}" }'],
    ['from the environment, in a path', '{ type: git, url: x, key: "${SECRET}", poll: "${SECRET}" }'],
    ['in a text that is no YAML', `{ type: git, token: "${SENTINEL} }`],
    ['in a text that is no YAML, without quotes', `{ type: git, token: ${SENTINEL}: x`],
    ['behind a tag', `{ type: git, token: !x ${SENTINEL} }`],
    ['as an alias', `{ type: git, token: *${SENTINEL} }`],
    ['as an anchor', `{ type: git, url: 5, token: &${SENTINEL} x }`],
    ['after a mapping that was closed too early', `{ type: git, toke}: ${SENTINEL} }`],
    ['as an escape', `{ type: git, token: "\\${SENTINEL}" }`],
    ['as the name of a variable', `{ type: git, url: x, token: "\${${SENTINEL}" }`],
  ])('%s', async (_name, provider) => {
    const problems = await formatted(`providers: { p: ${provider} }\n${good}`, { environment: { SECRET: SENTINEL } })

    expect(problems).not.toEqual([])
    expect(problems.join('\n')).not.toContain(SENTINEL)
    expect(problems.join('\n')).not.toContain(SENTINEL.slice(2, -2))
  })

  test.each<[string, string]>([
    ['in a header', `{ http: "http://x", headers: { Authorization: ${SENTINEL}, a b: c } }`],
    ['in a header that is none', `{ http: "http://x", headers: { Authorization: "${SENTINEL}\\n" } }`],
    ['in the URL of a hook', `{ http: "http://u:${SENTINEL}@x/", method: 5 }`],
    ['in a URL that is none', `{ http: "http://u:${SENTINEL}@x:99999/?${SENTINEL}#${SENTINEL}" }`],
    ['in a URL without a scheme', `{ http: "u:${SENTINEL}@x", method: 5 }`],
    ['in the environment of a hook', `{ command: [x], env: { A: ${SENTINEL}, a-b: c } }`],
    ['in an environment of another kind', `{ command: [x], env: [${SENTINEL}] }`],
    ['in a hook of no kind', `{ headers: { A: ${SENTINEL} } }`],
    ['in a hook of two kinds', `{ http: x, command: [x], headers: { A: ${SENTINEL} } }`],
    ['in what comes from the environment', '{ http: "${SECRET}", headers: { A: "${SECRET}\\n" } }'],
  ])('%s', async (_name, hook) => {
    const text = bundle(`${inVolume}, hooks: [${hook}]`)
    const problems = await formatted(text, { environment: { SECRET: SENTINEL } })

    expect(problems).not.toEqual([])
    expect(problems.join('\n')).not.toContain(SENTINEL)
  })

  test('but what is known to be harmless is shown', async () => {
    const [problem] = await formatted(
      `providers:\n  p: { type: git, url: "https://x/y.git", token: "\${TOKEN}", pol: 1 }\n${good}`,
      { environment: { TOKEN: 'x' } },
    )

    expect(problem).toContain('p: { type: git, url: "https://x/y.git", token: "${TOKEN}", pol: … }')
  })
})
