import { describe } from 'vitest'
import { table, withHooks } from './rows.ts'

describe('hooks', () => {
  table('a hook', [
    ['of no kind', withHooks('▶{ process: nginx }'), ['bundles.web.hooks[0]', /signal, http or command, got none/]],
    [
      'of two kinds',
      withHooks('▶{ signal: HUP, process: x, command: [x] }'),
      ['bundles.web.hooks[0]', /got signal and command/],
    ],
    [
      'an unknown signal',
      withHooks('{ signal: ▶SIGHPU, process: x }'),
      ['bundles.web.hooks[0].signal', /got "SIGHPU"/, /"SIGHUP"/],
    ],
    [
      'a signal by number',
      withHooks('{ signal: ▶1, process: x }'),
      ['bundles.web.hooks[0].signal', /signal such as SIGHUP, got a number/],
    ],
    ['nobody to signal', withHooks('▶{ signal: HUP }'), ['bundles.web.hooks[0]', /process or pidFile, got none/]],
    ['two to signal', withHooks('▶{ signal: HUP, process: x, pidFile: /y }'), ['bundles.web.hooks[0]', /got both/]],
    [
      'nobody, misspelt',
      withHooks('{ signal: HUP, ▶proces: x }'),
      ['bundles.web.hooks[0].proces', /"proces"/, /"process"/],
    ],
    [
      'two things at once',
      withHooks('▶{ signal: ▶HPU }'),
      ['bundles.web.hooks[0]', /process or pidFile/],
      ['bundles.web.hooks[0].signal', /signal/],
    ],
    [
      'an empty process',
      withHooks('{ signal: HUP, process: ▶"" }'),
      ['bundles.web.hooks[0].process', /name of a process/],
    ],
    ['another protocol', withHooks('{ http: ▶"ftp://x" }'), ['bundles.web.hooks[0].http', /http:\/\//]],
    ['no URL', withHooks('{ http: ▶"http://" }'), ['bundles.web.hooks[0].http', /http:\/\//]],
    ['a fragment', withHooks('{ http: ▶"http://x/#a" }'), ['bundles.web.hooks[0].http', /http:\/\//]],
    [
      'a method with a space',
      withHooks('{ http: "http://x", method: ▶"PO ST" }'),
      ['bundles.web.hooks[0].method', /method/],
    ],
    ['CONNECT', withHooks('{ http: "http://x", method: ▶connect }'), ['bundles.web.hooks[0].method', /method/]],
    [
      'a header of a bad name',
      withHooks('{ http: "http://x", headers: { ▶"a b": c } }'),
      ['bundles.web.hooks[0].headers.…', /name of a header/],
    ],
    [
      'a header of ours',
      withHooks('{ http: "http://x", headers: { ▶Content-Length: "1" } }'),
      ['bundles.web.hooks[0].headers.Content-Length', /body/],
    ],
    [
      'a header on two lines',
      withHooks('{ http: "http://x", headers: { A: ▶"a\\nb" } }'),
      ['bundles.web.hooks[0].headers.A', /one line, got a string$/],
    ],
    [
      'a header in a file of no name',
      withHooks('{ http: "http://x", headers: { A: ▶"file:" } }'),
      ['bundles.web.hooks[0].headers.A', /value of a header/],
    ],
    [
      'a header twice',
      withHooks('{ http: "http://x", headers: ▶{ Ab: c, aB: d } }'),
      ['bundles.web.hooks[0].headers', /each header once/],
    ],
    [
      'a number as a header',
      withHooks('{ http: "http://x", headers: { A: ▶5 } }'),
      ['bundles.web.hooks[0].headers.A', /string, got a number/],
    ],
    [
      'two credentials',
      withHooks('▶{ http: "http://u:p@x", headers: { authorization: x } }'),
      ['bundles.web.hooks[0]', /got both/],
    ],
    [
      'an environment of a bad name',
      withHooks('{ command: [x], env: { ▶a-b: c } }'),
      ['bundles.web.hooks[0].env.a-b', /environment variable/],
    ],
    [
      'a name twice',
      withHooks('{ name: a, command: [x] },\n { name: ▶a, command: [y] }'),
      [
        'bundles.web.hooks[1].name',
        /one that is|a name of its own, got that of bundles\.web\.hooks\[0\]\.name in line 1/,
      ],
    ],
    ['a name with a space', withHooks('{ name: ▶a b, command: [x] }'), ['bundles.web.hooks[0].name', /want a name/]],
    [
      'an option of another kind',
      withHooks('{ command: [x], ▶method: POST }'),
      ['bundles.web.hooks[0].method', /"method"/],
    ],
  ])
})
