import { describe, expect, test } from 'vitest'
import { load, problemsOf } from './load.ts'
import { bundle, inVolume, table, withHooks, withProvider } from './rows.ts'

describe('providers', () => {
  table('a provider', [
    ['no type', withProvider('▶{}'), ['providers.p.type', /want the type of the provider, got nothing/]],
    ['a type that is a number', withProvider('{ type: ▶5 }'), ['providers.p.type', /got a number/]],
    [
      'an unknown type',
      withProvider('{ type: ▶gti, url: x }'),
      ['providers.p.type', /got "gti"/, /did you mean "git"/],
    ],
    [
      'a type like nothing',
      withProvider('{ type: ▶etcd }'),
      ['providers.p.type', /"etcd"/, /known types: env, git, vault/],
    ],
    ['not a mapping', withProvider('▶git'), ['providers.p', /want a mapping, got a string/]],
    [
      'a default that is a string',
      withProvider('{ type: env, default: ▶"yes" }'),
      ['providers.p.default', /true or false/],
    ],
    [
      'a shrink guard that is a word',
      withProvider('{ type: env, shrinkGuard: ▶of }'),
      ['providers.p.shrinkGuard', /want "off" or a mapping, got "of"/, /did you mean "off"/],
    ],
    [
      'a share of more than all',
      withProvider('{ type: env, shrinkGuard: { share: ▶2 } }'),
      ['providers.p.shrinkGuard.share', /want a part between 0 and 1/],
    ],
    [
      'a hold without its unit',
      withProvider('{ type: env, shrinkGuard: { hold: ▶30 } }'),
      ['providers.p.shrinkGuard.hold', /duration/, /unit/],
    ],
    [
      'an unknown key of the shrink guard',
      withProvider('{ type: env, shrinkGuard: { ▶holds: 30s } }'),
      ['providers.p.shrinkGuard.holds', /got "holds"/, /did you mean "hold"/],
    ],
    [
      'an unknown option',
      withProvider('{ type: git, url: x, ▶pol: 10s }'),
      ['providers.p.pol', /got "pol"/, /did you mean "poll"/],
    ],
    [
      'an unknown option where there is none',
      withProvider('{ type: env, ▶foo: 1 }'),
      ['providers.p.foo', /"foo"/, /none here/],
    ],
    ['a missing option', withProvider('▶{ type: git }'), ['providers.p.url', /want a URL, got nothing/]],
    [
      'an option of another kind',
      withProvider('{ type: git, url: ▶[] }'),
      ['providers.p.url', /want a URL, got an empty list/],
    ],
    [
      'a number for a duration',
      withProvider('{ type: git, url: x, poll: ▶5 }'),
      ['providers.p.poll', /duration/, /unit/],
    ],
    [
      'a duration that is too short',
      withProvider('{ type: git, url: x, poll: ▶5ms }'),
      ['providers.p.poll', /at least 100ms/],
    ],
    [
      'an endless duration',
      withProvider(`{ type: git, url: x, poll: ▶${'9'.repeat(400)}h }`),
      ['providers.p.poll', /duration/],
    ],
    [
      'an empty credential',
      withProvider('{ type: git, url: x, token: ▶"" }'),
      ['providers.p.token', /got an empty string/],
    ],
    [
      'a credential from an empty variable',
      withProvider('{ type: git, url: x, token: ▶"${EMPTY}" }'),
      ['providers.p.token', /environment/],
    ],
    [
      'a credential from no file',
      withProvider('{ type: git, url: x, token: ▶"file:" }'),
      ['providers.p.token', /credential/],
    ],
    [
      'a limit',
      withProvider('{ type: vault, address: x, retries: ▶-1 }'),
      ['providers.p.retries', /at least 0, got a number/],
    ],
    [
      'not a whole number',
      withProvider('{ type: vault, address: x, retries: ▶1.5 }'),
      ['providers.p.retries', /whole number/],
    ],
    [
      'an item of a list',
      withProvider('{ type: vault, address: x, tags: [a, ▶5] }'),
      ['providers.p.tags[1]', /want a string/, /quotes/],
    ],
    [
      'a value of a record',
      withProvider('{ type: vault, address: x, labels: { a: ▶5 } }'),
      ['providers.p.labels.a', /want a string/],
    ],
    [
      'a choice',
      withProvider('{ type: vault, address: x, level: ▶hihg }'),
      ['providers.p.level', /want "low" or "high", got "hihg"/, /"high"/],
    ],
    [
      'a variant of no kind',
      withProvider('{ type: vault, address: x, auth: ▶{} }'),
      ['providers.p.auth.method', /want "kubernetes" or "token", got nothing/],
    ],
    [
      'a variant of an unknown kind',
      withProvider('{ type: vault, address: x, auth: { method: ▶kubernets } }'),
      ['providers.p.auth.method', /got "kubernets"/, /"kubernetes"/],
    ],
    [
      'an option of another variant',
      withProvider('{ type: vault, address: x, auth: { method: kubernetes, role: x, ▶token: y } }'),
      ['providers.p.auth.token', /"token"/, /known here: method, role/],
    ],
    [
      'a missing option of a variant',
      withProvider('{ type: vault, address: x, auth: ▶{ method: kubernetes } }'),
      ['providers.p.auth.role', /got nothing/],
    ],
    [
      'a list for a mapping',
      withProvider('{ type: vault, address: x, labels: ▶[a] }'),
      ['providers.p.labels', /want a mapping, got a list/],
    ],
    [
      'an alternative of no kind',
      withProvider('{ type: vault, address: x, either: ▶true }'),
      ['providers.p.either', /want a number or a mapping, got a boolean/],
    ],
    [
      'the alternative that was meant',
      withProvider('{ type: vault, address: x, either: { of: ▶5 } }'),
      ['providers.p.either.of', /want a string, got a number/],
    ],
    [
      'a check of the plugin',
      withProvider('▶{ type: vault, address: nowhere }'),
      ['providers.p', /want an address that leads somewhere/],
    ],
    [
      'two defaults of one type',
      `providers:\n  a: { type: env, default: true }\n  b: { type: env, default: ▶true }\n${bundle(inVolume)}`,
      ['providers.b.default', /at most one default provider of type env.* line 2/],
    ],
    [
      'problems of several providers',
      `providers: { a: { type: git, url: ▶1 }, b: { type: git, url: ▶2 } }\n${bundle(inVolume)}`,
      ['providers.a.url', /URL/],
      ['providers.b.url', /URL/],
    ],
  ])

  test('two defaults of different types are right', async () => {
    const text = `providers: { a: { type: env, default: true }, b: { type: vault, address: x, default: true } }\n`
    expect(await problemsOf(text + bundle(inVolume))).toEqual([])
  })
})

test.each([
  ['', { holdMs: 30_000, share: 1 }],
  [', shrinkGuard: {}', { holdMs: 30_000, share: 1 }],
  [', shrinkGuard: { hold: 2m, share: 0.5 }', { holdMs: 120_000, share: 0.5 }],
  [', shrinkGuard: { share: 0 }', { holdMs: 30_000, share: 0 }],
  [', shrinkGuard: off', undefined],
])('a provider with "%s" is guarded by %j', async (more, expected) => {
  const { providers } = await load(withProvider(`{ type: env${more} }`))
  expect(providers.get('p')?.shrinkGuard).toEqual(expected)
})

describe('variables', () => {
  table('a variable', [
    [
      'an unset one',
      withProvider('{ type: git, url: "▶${UNSET}" }'),
      ['providers.p.url', /variable UNSET/, /set UNSET/],
    ],
    [
      'one that is misspelt',
      withProvider('{ type: git, url: "http://▶${PROT}/" }'),
      ['providers.p.url', /PROT/, /\$\{PORT\}/],
    ],
    [
      'two in one string',
      withProvider('{ type: git, url: "▶${A}${PORT}▶${B}" }'),
      ['providers.p.url', /A/],
      ['providers.p.url', /B/],
    ],
    ['one in a list', withProvider('{ type: vault, address: x, tags: ["▶${A}"] }'), ['providers.p.tags[0]', /A/]],
    [
      'one with an operator',
      withProvider('{ type: git, url: "▶${A:-b}" }'),
      ['providers.p.url', /another text/, /\$\$\{/],
    ],
    ['one that has no end', withProvider('{ type: git, url: "a▶${A" }'), ['providers.p.url', /another text/]],
    ['one in a folded string', withProvider('{ type: git, url: "a\n    ▶${A}" }'), ['providers.p.url', /A/]],
    ['one in the state', `state: "▶\${A}"\n${bundle(inVolume)}`, ['state', /A/]],
    ['one in admin', `admin: { listen: "127.0.0.1:▶\${A}" }\n${bundle(inVolume)}`, ['admin.listen', /A/]],
    ['one in the URL of a hook', withHooks('{ http: "http://▶${A}" }'), ['bundles.web.hooks[0].http', /A/]],
    [
      'one in a header',
      withHooks('{ http: "http://x", headers: { X: "▶${A}" } }'),
      ['bundles.web.hooks[0].headers.X', /A/],
    ],
    [
      'one in the environment of a hook',
      withHooks('{ command: [x], env: { X: "▶${A}" } }'),
      ['bundles.web.hooks[0].env.X', /A/],
    ],
    [
      'one in the URL of a probe',
      bundle(`${inVolume}, probe: { http: "http://▶\${A}" }`),
      ['bundles.web.probe.http', /A/],
    ],
    [
      'what one stands for',
      withProvider('{ type: git, url: x, poll: ▶"${PORT}" }'),
      ['providers.p.poll', /got a string with a value of the environment/],
    ],
  ])

  test('are left alone in contents, paths and commands', async () => {
    const text = bundle('volume: "./${A}", files: [{ path: "${B}", content: "${C}" }], hooks: [{ command: ["${D}"] }]')
    expect(await problemsOf(text)).toEqual([])
  })
})
