import { describe } from 'vitest'
import { bundle, inVolume, table } from './rows.ts'

describe('the whole', () => {
  table('a configuration', [
    ['nothing', '▶', ['', /want a mapping, got an empty value/]],
    ['a comment only', '▶# nothing', ['', /want a mapping/]],
    ['a list', '▶- a', ['', /want a mapping, got a list/]],
    ['a string', '▶abc', ['', /want a mapping, got a string$/]],
    ['no bundles', '▶state: /x', ['bundles', /want a mapping, got nothing/]],
    ['no bundle', 'bundles: ▶{}', ['bundles', /want at least one bundle, got an empty mapping/]],
    ['an empty section', `▶providers:\n${bundle(inVolume)}`, ['providers', /got an empty value/, /remove the key/]],
    ['an unknown key', `▶bundels: {}\n${bundle(inVolume)}`, ['bundels', /got "bundels"/, /did you mean "bundles"/]],
    ['a key like nothing', `▶xyzzy: 1\n${bundle(inVolume)}`, ['xyzzy', /"xyzzy"/, /known here: .*bundles, providers/]],
    ['several unknown keys', `▶xa: 1\n▶xb: 1\n${bundle(inVolume)}`, ['xa', /"xa"/], ['xb', /"xb"/]],
    ['a key that objects have', `▶toString: 1\n${bundle(inVolume)}`, ['toString', /known here/]],
    ['a reserved key', `▶__proto__: 1\n${bundle(inVolume)}`, ['__proto__', /reserved/]],
    [
      'a bundle of a reserved name',
      `bundles: { ▶constructor: { ${inVolume} }, a: { ${inVolume} } }`,
      ['bundles.constructor', /reserved/],
    ],
    ['a name with a space', `bundles: { ▶a b: { ${inVolume} } }`, ['bundles.…', /want a name/]],
    ['a name with a slash', `bundles: { ▶a/b: { ${inVolume} } }`, ['bundles.…', /want a name/]],
    ['a name that begins with a dash', `bundles: { ▶-a: { ${inVolume} } }`, ['bundles.-a', /want a name/]],
    ['a name that is too long', `bundles: { ▶${'a'.repeat(65)}: { ${inVolume} } }`, ['bundles.…', /at most 64/]],
    ['a bundle that is a list', 'bundles: { web: ▶[1] }', ['bundles.web', /want a mapping, got a list/]],
    ['an unset state', `state: ▶5\n${bundle(inVolume)}`, ['state', /got a number/]],
    [
      'a relative state',
      `state: ▶var/lib\n${bundle(inVolume)}`,
      ['state', /want an absolute path, or one that begins with/],
    ],
    ['the root as state', `state: ▶/\n${bundle(inVolume)}`, ['state', /want an absolute path/]],
    ['the root in disguise', `state: ▶/../x/..\n${bundle(inVolume)}`, ['state', /of its own/]],
  ])
})

describe('admin', () => {
  function admin(listen: string): string {
    return `admin: { listen: ${listen} }\n${bundle(inVolume)}`
  }
  table('admin', [
    ['a port alone', admin('▶":9102"'), ['admin.listen', /want a host before the port, 127\.0\.0\.1/]],
    ['a number', admin('▶9102'), ['admin.listen', /got a number/]],
    ['no port', admin('▶localhost'), ['admin.listen', /a host and a port/]],
    ['a port that is too high', admin('▶"127.0.0.1:65536"'), ['admin.listen', /a host and a port/]],
    ['IPv6 without brackets', admin('▶"::1:9102"'), ['admin.listen', /in brackets/]],
    ['nothing to listen on', `admin: ▶{}\n${bundle(inVolume)}`, ['admin.listen', /got nothing/]],
    ['an unknown key', `admin: { listen: "[::1]:0", ▶port: 1 }\n${bundle(inVolume)}`, ['admin.port', /"port"/]],
  ])
})

describe('checks, probes and the rest', () => {
  table('a bundle', [
    [
      'a command that is a string',
      bundle(`${inVolume}, checks: [{ command: ▶nginx -t }]`),
      ['bundles.web.checks[0].command', /as a list/],
    ],
    [
      'an empty command',
      bundle(`${inVolume}, checks: [{ command: ▶[] }]`),
      ['bundles.web.checks[0].command', /as a list/],
    ],
    [
      'an empty program',
      bundle(`${inVolume}, checks: [{ command: ▶[""] }]`),
      ['bundles.web.checks[0].command', /as a list/],
    ],
    [
      'an argument that is a number',
      bundle(`${inVolume}, checks: [{ command: [sleep, ▶5] }]`),
      ['bundles.web.checks[0].command[1]', /string/, /quotes/],
    ],
    [
      'an argument with a NUL',
      bundle(`${inVolume}, checks: [{ command: [x, ▶"\\0"] }]`),
      ['bundles.web.checks[0].command[1]', /NUL/],
    ],
    [
      'no time at all',
      bundle(`${inVolume}, checks: [{ command: [x], timeout: ▶0s }]`),
      ['bundles.web.checks[0].timeout', /at least 1ms/],
    ],
    ['no command', bundle(`${inVolume}, checks: [▶{}]`), ['bundles.web.checks[0].command', /got nothing/]],
    [
      'a probe of no kind',
      bundle(`${inVolume}, probe: ▶{ for: 5s }`),
      ['bundles.web.probe', /http or command, got none/],
    ],
    [
      'a probe of two kinds',
      bundle(`${inVolume}, probe: ▶{ http: "http://x", command: [x] }`),
      ['bundles.web.probe', /got http and command/],
    ],
    [
      'a probe with a user',
      bundle(`${inVolume}, probe: { http: ▶"http://u:p@x/" }`),
      ['bundles.web.probe.http', /without a user and password/],
    ],
    [
      'what a command answers',
      bundle(`${inVolume}, probe: { command: [x], ▶expect: 200 }`),
      ['bundles.web.probe.expect', /"expect"/],
    ],
    [
      'a status that is none',
      bundle(`${inVolume}, probe: { http: "http://x", expect: ▶20 }`),
      ['bundles.web.probe.expect', /HTTP status/],
    ],
    [
      'no status',
      bundle(`${inVolume}, probe: { http: "http://x", expect: ▶[] }`),
      ['bundles.web.probe.expect', /at least one status|HTTP status/],
    ],
    [
      'a status in a list',
      bundle(`${inVolume}, probe: { http: "http://x", expect: [200, ▶"ok"] }`),
      ['bundles.web.probe.expect[1]', /HTTP status/],
    ],
    [
      'a longest wait that is shorter',
      bundle(`${inVolume}, settle: ▶{ quiet: 5s, longest: 1s }`),
      ['bundles.web.settle', /not shorter/],
    ],
    ['no generation', bundle(`${inVolume}, keep: ▶0`), ['bundles.web.keep', /at least 1/]],
    ['half a generation', bundle(`${inVolume}, keep: ▶1.5`), ['bundles.web.keep', /whole number/]],
    ['too many', bundle(`${inVolume}, keep: ▶1001`), ['bundles.web.keep', /at most 1000/]],
    ['an age without a unit', bundle(`${inVolume}, keepAge: ▶60`), ['bundles.web.keepAge', /duration/, /unit/]],
    ['an age below zero', bundle(`${inVolume}, keepAge: ▶-1s`), ['bundles.web.keepAge', /duration/]],
  ])
})
