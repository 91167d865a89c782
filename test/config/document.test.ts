import { describe, expect, test } from 'vitest'
import { load, problemsOf } from './load.ts'
import { bundle, inVolume, table } from './rows.ts'

const good = bundle(inVolume)

describe('syntax', () => {
  table('YAML', [
    ['a quote that is not closed', 'state: ▶"abc\nadmin: x\n', ['', /closing quote/]],
    ['a single quote that is not closed', "state: ▶'abc\n", ['', /closing quote/]],
    ['a list that is not closed', 'state: [a, b\n▶admin: x', ['', /bracket without its closing one/]],
    ['a mapping that is not closed', 'state: { a: b\n▶', ['', /bracket without its closing one/]],
    ['a tab as indentation', 'state:\n▶\tx: y', ['', /tab/, /spaces/]],
    ['two colons in a line', 'a: ▶b: c', ['', /second colon/]],
    ['a key in another column', 'a:\n   b: 1\n▶  c: 2', ['', /column/]],
    ['a colon that is missing', '▶a b\nc: d', ['', /missing colon/]],
    ['a reserved character', 'state: ▶@x', ['', /reserved character/, /quotes/]],
    ['an unknown escape', 'state: "▶\\q"', ['', /escape/, /single quotes/]],
    ['text after a string', 'state: "x"▶y', ['', /after the end/]],
    ['a comma too many', '{ state: 1,▶, b: 2 }', ['', /comma/]],
    ['two documents', `${good}▶---\n${good}`, ['', /more than one document/, /---/]],
    ['a key that is a list', '▶[a]: b', ['', /not a string/]],
    ['a template without quotes', 'content: {▶{ ref "a://b" }}', ['', /not a string/, /in quotes/]],
    ['a key without an end', `▶${'a'.repeat(1_100)}: b`, ['', /1024/]],
    ['a tag of its own', `state: ▶!secret x\n${good}`, ['', /tags/, /remove the tag/]],
    ['a tag that is not of the core', `state: ▶!!binary eA==\n${good}`, ['', /tags/]],
    ['an older YAML', `▶%YAML 1.1\n---\n${good}`, ['', /YAML 1\.2/, /%YAML/]],
    ['several lines', 'a: ▶@x\nb: "▶\\q\\q"\nc: ▶`z', ['', /reserved/], ['', /escape/], ['', /reserved/]],
  ])

  test.each([
    ['lists', '['.repeat(3_000)],
    ['mappings', '{a: '.repeat(3_000)],
    ['dashes', '- '.repeat(5_000)],
    ['lists of a depth that still parses', `state: ${'['.repeat(300)}${']'.repeat(300)}`],
    ['mappings of a depth that still parses', `state: ${'{a: '.repeat(300)}1${'}'.repeat(300)}`],
  ])('nested %s are refused without harm', async (_name, text) => {
    const problems = await problemsOf(text)

    expect(problems.some(({ message }) => /levels/.test(message))).toBe(true)
    expect(problems.length).toBeLessThan(6)
  })

  test('a text that is too long is not parsed', async () => {
    const [problem] = await problemsOf(`# ${'x'.repeat(3 * 1024 * 1024)}`)

    expect(problem).toMatchObject({ line: 1, column: 1 })
    expect(problem?.message).toMatch(/at most 2097152 characters/)
  })

  test('Windows line ends, a byte order mark and tabs between tokens change nothing', async () => {
    expect(
      await problemsOf(`\ufeffbundles:\r\n  web:\r\n    volume:\t/v\r\n    files: [{ path: a, content: x }]\r\n`),
    ).toEqual([])
  })

  test('JSON is read, with tabs and escapes', async () => {
    const value = { bundles: { web: { volume: '/v', files: [{ path: 'a/b', content: 'é\t"\ud83d\ude00' }] } } }
    const escaped = JSON.stringify(value, null, '\t').replace('a/b', 'a\\/b').replace('é', '\\u00e9')
    const config = await load(escaped.replace('\ud83d\ude00', '\\ud83d\\ude00'))

    expect(config.bundles.get('web')?.files[0]).toMatchObject({ path: 'a/b', source: { text: 'é\t"\ud83d\ude00' } })
  })
})

describe('keys', () => {
  table('a key', [
    ['twice', `state: /a\n▶state: /b\n${good}`, ['state', /each key once, got state a second time/]],
    ['twice, once in quotes', `state: /a\n▶"state": /b\n${good}`, ['state', /each key once/]],
    ['three times', `state: /a\n▶state: /b\n▶state: /c\n${good}`, ['state', /once/], ['state', /once/]],
    ['two bundles of one name', `bundles:\n  a: { ${inVolume} }\n  ▶a: { ${inVolume} }`, ['bundles.a', /once/]],
    [
      'a merge key',
      `▶x-base: &base { keep: 2 }\nbundles: { web: { ${inVolume}, ▶<<: *base } }`,
      ['x-base', /"x-base"/],
      ['bundles.web.<<', /merge key/, /alias/],
    ],
  ])

  test('a duplicate does not hide what else is wrong', async () => {
    const problems = await problemsOf(`state: 5\nstate: /b\nadmin: { listen: 5 }\n${good}`)

    expect(problems.map(({ path }) => path)).toEqual(['state', 'state', 'admin.listen'])
  })

  test('a key that looks like a number or a word of YAML is a string', async () => {
    const config = await load(
      `bundles: { 01: { volume: /a, files: [{ path: a, content: x }] }, null: { volume: /b, files: [{ path: a, content: x }] } }`,
    )

    expect([...config.bundles.keys()]).toEqual(['01', 'null'])
  })
})

describe('aliases', () => {
  test('stand for what they name', async () => {
    const text = `bundles: { a: { volume: /a, files: &f [{ path: x, content: y }] }, b: { volume: /b, files: *f } }`
    const config = await load(text)

    expect(config.bundles.get('b')?.files).toEqual(config.bundles.get('a')?.files)
  })

  test('stand for the last anchor of their name before them', async () => {
    const text = `bundles: { a: { volume: &v /a, files: &f [{ path: x, content: y }] }, b: { volume: &v /b, files: *f }, c: { keep: 1, volume: /c, files: [{ path: *v, content: x }] } }`

    expect((await problemsOf(text)).map(({ path, message }) => [path, message])).toEqual([
      ['bundles.c.files[0].path', 'want a path below the volume, got an absolute one'],
    ])
  })

  table('an alias', [
    ['of nothing', `state: ▶*x\n${good}`, ['state', /alias of an anchor above, got one of an unknown/]],
    ['of what comes later', `admin: ▶*x\nstate: &x /s\n${good}`, ['admin', /unknown anchor/]],
    ['of itself', `bundles: &b { web: ▶*b }`, ['bundles.web', /contains itself/]],
    [
      'of what is wrong',
      `bundles: { a: { volume: /a, files: &f [{ path: x, content: ▶▶5 }] }, b: { volume: /b, files: *f } }`,
      ['bundles.a.files[0].content', /number/],
      ['bundles.b.files[0].content', /number/],
    ],
  ])

  test('that multiply are refused within a moment', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`)
    const text = `l0: &l0 [x]\n${lines.join('\n')}\n${good}`
    const startedAt = performance.now()
    const problems = await problemsOf(text)

    expect(problems.some(({ message }) => /at most 200000 values/.test(message))).toBe(true)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})
