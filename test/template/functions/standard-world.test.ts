import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

describe('executeTemplate', () => {
  test.each([
    [
      'has no output while an answer is awaited in it',
      '{{define "x"}}a{{awaited}}b{{end}}[{{executeTemplate "x"}}]',
      '[]',
    ],
    ['is awaited then', '{{define "x"}}{{awaited}}{{end}}[{{(executeTemplate "x" | parseJSON).a.b}}]', '[]'],
    ['is not awaited because of what was before', '{{awaited}}{{define "x"}}b{{end}}{{executeTemplate "x"}}', 'b'],
    ['prints nowhere but where it is', '{{define "x"}}{{print 1}}{{end}}a{{executeTemplate "x"}}b', 'a1b'],
  ])('%s', (_, text, want) => {
    expect(run(text)).toBe(want)
  })

  test('ends within the bound on depth, however templates call each other', () => {
    const text = '{{define "x"}}{{executeTemplate "y" .}}{{end}}{{define "y"}}{{template "x" .}}{{end}}{{template "x"}}'

    expect(failureOf(text).code).toBe('bound')
  })

  test('counts its output against the bound', () => {
    const text = '{{define "x"}}{{range 100}}0123456789{{end}}{{end}}{{len (executeTemplate "x")}}'

    expect(run(text)).toBe('1000')
    expect(failureOf(text, null, { outputBytesMax: 999 }).code).toBe('bound')
  })

  test('says where it failed, and where it was called', () => {
    const failure = failureOf('{{define "x"}}\n{{mustEnv "NONE"}}{{end}}\n\n{{executeTemplate "x"}}')

    expect([failure.line, failure.column]).toEqual([4, 2])
    expect(failure.message).toContain('executing "t" at <executeTemplate "x">')
    expect(failure.message).toContain('t:2:2: executing "x" at <mustEnv "NONE">')
  })
})

test('timestamp asks the given clock', () => {
  const now = () => Date.UTC(2030, 11, 31, 23, 59, 59, 999)

  expect(run('{{timestamp}} {{timestamp "unix"}} {{timestamp "Jan _2 06 .000"}}', null, { now })).toBe(
    '2030-12-31T23:59:59Z 1924991999 Dec 31 30 .999',
  )
})

describe('sockaddr', () => {
  const networkAddresses = () => [
    { interfaceName: 'lo', address: '127.0.0.1/8', flags: 'up|loopback', isDefault: false },
    { interfaceName: 'eth0', address: '192.168.1.7/24', flags: 'up|broadcast', isDefault: true },
  ]

  test('sees the given addresses', () => {
    expect(
      run('{{sockaddr "GetPrivateIP"}} {{sockaddr "GetAllInterfaces | join \\"name\\" \\",\\""}}', null, {
        networkAddresses,
      }),
    ).toBe('192.168.1.7 lo,eth0')
  })

  test('finds nothing where there is none', () => {
    expect(run('[{{sockaddr "GetPrivateIP"}}]')).toBe('[]')
    expect(failureOf('{{sockaddr "GetDefaultInterfaces"}}').message).toContain('No default interface found')
  })

  test.each(['range 1000000000 }}{{ end', 'range 100000 }}0123456789{{ end'])('ends within a bound: %s', text => {
    expect(failureOf(`{{sockaddr "${text}"}}`).code).toBe('bound')
  })

  test('counts for what it costs', () => {
    expect(failureOf('{{range 1000000}}{{sockaddr "1"}}{{end}}').code).toBe('bound')
  })
})

test.each([
  ['{{plugin "x"}}', 'provider'],
  ['{{"a" | writeToFile "/tmp/x" "" "" "0644"}}', 'files:'],
  ['{{file "/etc/passwd"}}', 'ref "NAME://PATH"'],
  ['{{range nomadServices}}{{end}}', 'services of a consul provider'],
  ['{{range nomadService "web"}}{{end}}', 'service of a consul provider'],
  ['{{with nomadVar "a"}}{{end}}', 'Consul, Vault or etcd'],
  ['{{if nomadVarExists "a"}}{{end}}', 'keyExists'],
  ['{{range nomadVarList}}{{end}}', 'tree'],
  ['{{range nomadVarListSafe "a"}}{{end}}', 'safeTree'],
])('%s does not parse, and the error names another way', (text, way) => {
  const failure = failureOf(`\n{{if false}}${text}{{end}}`)

  expect(failure).toMatchObject({ code: 'parse', line: 2 })
  expect(failure.message).toMatch(/function "\w+" not available: \w/)
  expect(failure.hint).toContain(way)
})
