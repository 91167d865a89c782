import { describe, expect, test } from 'vitest'
import { problemsOf } from './load.ts'
import { bundle, files, table, withFiles } from './rows.ts'

describe('files', () => {
  table('a file', [
    ['none', bundle('files: ▶[]'), ['bundles.web.files', /want at least one file, got an empty list/]],
    ['no key', `bundles: { web: ▶{} }`, ['bundles.web.files', /want a list, got nothing/]],
    ['a mapping', bundle('files: ▶{}'), ['bundles.web.files', /want a list, got an empty mapping/]],
    [
      'no source',
      withFiles('▶{ path: a }'),
      ['bundles.web.files[0]', /one of the keys template, content, tree or from, got none of them/],
    ],
    [
      'two sources',
      withFiles('▶{ path: a, content: a, template: ▶b }'),
      ['bundles.web.files[0]', /got template and content/],
      ['bundles.web.files[0].template', /no such file/],
    ],
    ['no path', withFiles('▶{ content: a }'), ['bundles.web.files[0].path', /want a path, got nothing/]],
    ['a file that is a string', withFiles('▶a'), ['bundles.web.files[0]', /want a mapping, got a string$/]],
    ['a file that is null', withFiles('▶~'), ['bundles.web.files[0]', /want a mapping, got an empty value/]],
    [
      'what goes with a tree, beside a template',
      withFiles('{ path: a, content: a, ▶include: ["*"], ▶render: true, ▶inclde: ["*"] }'),
      ['bundles.web.files[0].include', /"include"/, /^it goes with tree$/],
      ['bundles.web.files[0].render', /"render"/, /^it goes with tree$/],
      ['bundles.web.files[0].inclde', /"inclde"/, /^known here: content/],
    ],
    [
      'content that is a number',
      withFiles('{ path: a, content: ▶5 }'),
      ['bundles.web.files[0].content', /want a template as a string, got a number/, /quotes/],
    ],
    [
      'a template that is missing',
      withFiles('{ path: a, template: ▶x.tmpl }'),
      ['bundles.web.files[0].template', /no such file/, /start at \/etc\/outrigger/],
    ],
    [
      'a template without a path',
      withFiles('{ path: a, template: ▶"" }'),
      ['bundles.web.files[0].template', /want the path of a template/],
    ],
    [
      'one that is missing twice',
      withFiles('{ path: a, template: ▶x }, { path: b, template: ▶./x }'),
      ['bundles.web.files[0].template', /no such/],
      ['bundles.web.files[1].template', /no such/],
    ],
    [
      'a mode that is a number',
      withFiles('{ path: a, content: a, mode: ▶0640 }'),
      ['bundles.web.files[0].mode', /octal string.* got a number/, /quotes/],
    ],
    [
      'a mode with a nine',
      withFiles('{ path: a, content: a, mode: ▶"0690" }'),
      ['bundles.web.files[0].mode', /octal string/],
    ],
    [
      'an owner below zero',
      withFiles('{ path: a, content: a, owner: ▶-1 }'),
      ['bundles.web.files[0].owner', /number or name/],
    ],
    [
      'an owner with a space',
      withFiles('{ path: a, content: a, owner: ▶"a b" }'),
      ['bundles.web.files[0].owner', /number or name/],
    ],
    [
      'a group of another kind',
      withFiles('{ path: a, content: a, group: ▶[] }'),
      ['bundles.web.files[0].group', /number or name/],
    ],
    [
      'equal delimiters',
      withFiles('{ path: a, content: a, delims: ▶["%", "%"] }'),
      ['bundles.web.files[0].delims', /two different delimiters/],
    ],
    [
      'one delimiter',
      withFiles('{ path: a, content: a, delims: ▶["%"] }'),
      ['bundles.web.files[0].delims', /two different delimiters/],
    ],
    [
      'an empty delimiter',
      withFiles('{ path: a, content: a, delims: [▶"", "%"] }'),
      ['bundles.web.files[0].delims[0]', /not empty/],
    ],
    [
      'a misspelt missingKey',
      withFiles('{ path: a, content: a, missingKey: ▶eror }'),
      ['bundles.web.files[0].missingKey', /want "error", "default" or "zero", got "eror"/, /"error"/],
    ],
  ])

  table('a path that is refused', [
    [
      'absolute in a volume',
      withFiles('{ path: ▶/a, content: a }'),
      ['bundles.web.files[0].path', /below the volume, got an absolute/],
    ],
    [
      'relative without one',
      bundle('files: [{ path: ▶a, content: a }]'),
      ['bundles.web.files[0].path', /want an absolute path/, /volume/],
    ],
    ['leading out', withFiles('{ path: ▶../a, content: a }'), ['bundles.web.files[0].path', /"\.\."/]],
    ['leading out later', withFiles('{ path: ▶a/../../b, content: a }'), ['bundles.web.files[0].path', /"\.\."/]],
    [
      'leading out of an absolute one',
      bundle('files: [{ path: ▶/a/../b, content: a }]'),
      ['bundles.web.files[0].path', /"\.\."/],
    ],
    [
      'reserved',
      withFiles('{ path: ▶..data, content: a }'),
      ['bundles.web.files[0].path', /begins with "\.\."/, /reserved/],
    ],
    ['reserved directory', withFiles('{ path: ▶..g1/a, content: a }'), ['bundles.web.files[0].path', /begins with/]],
    ['with a dot', withFiles('{ path: ▶./a, content: a }'), ['bundles.web.files[0].path', /empty part or a "\."/]],
    [
      'a dot that is no tree',
      withFiles('{ path: ▶., content: a }'),
      ['bundles.web.files[0].path', /empty part or a "\."/],
    ],
    ['with two slashes', withFiles('{ path: ▶a//b, content: a }'), ['bundles.web.files[0].path', /empty part/]],
    ['with a slash at the end', withFiles('{ path: ▶a/, content: a }'), ['bundles.web.files[0].path', /empty part/]],
    ['empty', withFiles('{ path: ▶"", content: a }'), ['bundles.web.files[0].path', /empty part/]],
    ['with a NUL', withFiles('{ path: ▶"a\\0", content: a }'), ['bundles.web.files[0].path', /NUL/]],
    [
      'with a long name',
      withFiles(`{ path: ▶a/${'b'.repeat(256)}, content: a }`),
      ['bundles.web.files[0].path', /255 bytes/],
    ],
    [
      'with a name that is long in bytes',
      withFiles(`{ path: ▶${'é'.repeat(128)}, content: a }`),
      ['bundles.web.files[0].path', /255 bytes/],
    ],
    [
      'of great length',
      withFiles(`{ path: ▶${'b/'.repeat(2_100)}b, content: a }`),
      ['bundles.web.files[0].path', /at most 4000 bytes/],
    ],
  ])

  test('a path may hold what only looks reserved', async () => {
    expect(await problemsOf(withFiles('{ path: a/..b, content: a }, { path: c.., content: a }'))).toEqual([])
    expect(await problemsOf(withFiles(`{ path: ${'a'.repeat(255)}, content: a }`))).toEqual([])
  })
})

describe('trees', () => {
  function tree(reference: string, more = ''): string {
    const providers = `repo: { type: git, url: x }, env: { type: env }${more}`
    return `providers: { ${providers} }\n${withFiles(`{ path: a, tree: ${reference} }`)}`
  }
  table('a tree', [
    ['no reference', tree('▶"conf.d"'), ['bundles.web.files[0].tree', /want a reference/]],
    ['a field', tree('▶"repo://conf.d#x"'), ['bundles.web.files[0].tree', /#FIELD/]],
    ['an unknown provider', tree('▶"rep://conf.d"'), ['bundles.web.files[0].tree', /"rep"/, /"repo"/]],
    [
      'a provider like nothing',
      tree('▶"xyzzy://conf.d"'),
      ['bundles.web.files[0].tree', /provider/, /configured: repo, env/],
    ],
    [
      'a provider without trees',
      tree('▶"env://HOME"'),
      ['bundles.web.files[0].tree', /has trees, got one of type env/],
    ],
    [
      'a provider that is wrong itself',
      tree('"bad://conf.d"', ', bad: { type: git, url: ▶[] }'),
      ['providers.bad.url', /want a URL/],
    ],
    ['a number', tree('▶5'), ['bundles.web.files[0].tree', /want a reference/]],
  ])
})

describe('forEach', () => {
  const each = (path: string, more = '') =>
    withFiles(`{ path: ${path}, content: a, forEach: "{{ data \\"l://x\\" }}"${more} }`)

  test('takes a path that is a template', async () => {
    expect(await problemsOf(each('"a/{{ .Key }}.conf"'))).toEqual([])
    expect(await problemsOf(each('"{{ .Key }}/{{ .Value }}"'))).toEqual([])
    expect(await problemsOf(each('"a/<< .Key >>"', ', delims: ["<<", ">>"]'))).toEqual([])
    expect(await problemsOf(bundle('files: [{ path: "{{ .Key }}", content: a, forEach: a }]'))).toEqual([])
  })

  test('may give outputs where another one gives some, as far as is known before', async () => {
    const one = '{ path: "a/{{ .Key }}", content: a, forEach: "{{ 1 }}" }'
    expect(await problemsOf(withFiles(`${one}, ${one}, { path: a/b, content: a }`))).toEqual([])
  })

  table('a path with forEach', [
    [
      'without an action',
      each('▶a.conf'),
      ['bundles.web.files[0].path', /each item, got one without an action/, /such as \{\{ \.Key \}\}/],
    ],
    [
      'with delimiters that are others',
      each('▶"{{ .Key }}"', ', delims: ["<<", ">>"]'),
      ['bundles.web.files[0].path', /without an action/, /<< \.Key >>/],
    ],
    ['absolute in a volume', each('▶"/a/{{ .Key }}"'), ['bundles.web.files[0].path', /got an absolute one/]],
    ['leading out', each('▶"../{{ .Key }}"'), ['bundles.web.files[0].path', /"\.\."/]],
    ['with a slash at the end', each('▶"{{ .Key }}/"'), ['bundles.web.files[0].path', /empty part/]],
    [
      'relative without a volume',
      bundle('files: [{ path: ▶"a/{{ .Key }}", content: a, forEach: a }]'),
      ['bundles.web.files[0].path', /want an absolute path/],
    ],
    [
      'below a volume of another bundle',
      `bundles:\n  a: { volume: /v, ${files} }\n  b: { files: [{ path: ▶"/v/x/{{ .Key }}", content: a, forEach: a }] }`,
      ['bundles.b.files[0].path', /inside bundles\.a\.volume in line 2/],
    ],
  ])

  table('forEach', [
    [
      'without a template',
      withFiles('▶{ path: "{{ .Key }}", forEach: a }'),
      ['bundles.web.files[0]', /one of the keys template, content, tree or from, got none/],
    ],
    [
      'beside a tree',
      `providers: { r: { type: git, url: x } }\n${withFiles('{ path: a, tree: "r://x", ▶forEach: a }')}`,
      ['bundles.web.files[0].forEach', /"forEach"/, /^it goes with template or content$/],
    ],
    [
      'that is a list',
      withFiles('{ path: "{{ .Key }}", content: a, forEach: ▶[a] }'),
      ['bundles.web.files[0].forEach', /want one action such as .*, got a list/],
    ],
  ])
})

describe('what is taken of a tree', () => {
  const tree = (more: string) =>
    `providers: { r: { type: git, url: x } }\n${withFiles(`{ path: a, tree: "r://x", ${more} }`)}`

  test('may be chosen by patterns, and rendered', async () => {
    const more = 'include: ["**/*.conf", a], exclude: [b/**], render: true, delims: ["<<", ">>"], missingKey: zero'
    expect(await problemsOf(tree(more))).toEqual([])
  })

  table('a tree', [
    [
      'with patterns that are none',
      tree('include: [▶"/a", ▶"a/"], exclude: ["*", ▶"a[", ▶5]'),
      ['bundles.web.files[0].include[0]', /want a pattern such as .*, got one that begins with a slash/, /dir\/\*\*/],
      ['bundles.web.files[0].include[1]', /ends with a slash/],
      ['bundles.web.files[0].exclude[1]', /\[ that is not closed/],
      ['bundles.web.files[0].exclude[2]', /want a pattern such as .*, got a number/],
    ],
    [
      'with no pattern',
      tree('include: ▶[]'),
      ['bundles.web.files[0].include', /at least one pattern, got an empty list/],
    ],
    [
      'with a pattern that is no list',
      tree('include: ▶a'),
      ['bundles.web.files[0].include', /want a list of patterns/],
    ],
    ['with another render', tree('render: ▶1'), ['bundles.web.files[0].render', /true or false, got a number/]],
    [
      'with delimiters and no templates',
      tree('▶delims: ["<<", ">>"], ▶missingKey: zero'),
      ['bundles.web.files[0].delims', /only where a tree has templates/, /render: true/],
      ['bundles.web.files[0].missingKey', /only where a tree has templates/],
    ],
  ])
})

describe('outputs', () => {
  table('a collision', [
    [
      'of one name',
      withFiles('{ path: a, content: a },\n { path: ▶a, content: b }'),
      ['bundles.web.files[1].path', /one that is bundles\.web\.files\[0\]\.path in line 1/],
    ],
    [
      'one below another',
      withFiles('{ path: a, content: a }, { path: ▶a/b/c, content: b }'),
      ['bundles.web.files[1].path', /inside bundles\.web\.files\[0\]/],
    ],
    [
      'one above another',
      withFiles('{ path: ▶a/b/c, content: a }, { path: a, content: b }'),
      ['bundles.web.files[0].path', /inside bundles\.web\.files\[1\]/],
    ],
    [
      'a volume of two bundles',
      `bundles:\n  a: { volume: /v, ${files} }\n  b: { volume: ▶/v/, ${files} }`,
      ['bundles.b.volume', /one that is bundles\.a\.volume in line 2/],
    ],
    [
      'a volume in a volume',
      `bundles:\n  a: { volume: /v, ${files} }\n  b: { volume: ▶/v/x/y, ${files} }`,
      ['bundles.b.volume', /inside bundles\.a\.volume/],
    ],
    [
      'a file in a volume',
      `bundles:\n  a: { volume: /v, ${files} }\n  b: { files: [{ path: ▶/v/x, content: a }] }`,
      ['bundles.b.files[0].path', /inside bundles\.a\.volume/],
    ],
    [
      'one file of two bundles',
      `bundles:\n  a: { files: [{ path: /v/x, content: a }] }\n  b: { files: [{ path: ▶/v/x, content: a }] }`,
      ['bundles.b.files[0].path', /bundles\.a\.files\[0\]\.path in line 2/],
    ],
    [
      'a volume in the state',
      `state: /s\nbundles: { a: { volume: ▶/s/v, ${files} } }`,
      ['bundles.a.volume', /inside the state directory/],
    ],
    [
      'a volume around the state',
      `state: /s/t\nbundles: { a: { volume: ▶/s, ${files} } }`,
      ['bundles.a.volume', /around the state directory/],
    ],
    [
      'a volume as the default state',
      `bundles: { a: { volume: ▶/var/lib/outrigger, ${files} } }`,
      ['bundles.a.volume', /the state directory/],
    ],
  ])

  test('of two bundles may have one name below their volumes', async () => {
    expect(await problemsOf(`bundles: { a: { volume: /v/a, ${files} }, b: { volume: /v/ab, ${files} } }`)).toEqual([])
  })

  table('a volume that is refused', [
    [
      'relative',
      bundle(`volume: ▶run/config, ${files}`),
      ['bundles.web.volume', /absolute path, or one that begins with \.\//],
    ],
    ['the root', bundle(`volume: ▶//, ${files}`), ['bundles.web.volume', /absolute path/]],
    ['empty', bundle(`volume: ▶"", ${files}`), ['bundles.web.volume', /absolute path/]],
    ['a number', bundle(`volume: ▶5, ${files}`), ['bundles.web.volume', /absolute path.*got a number/]],
    ['with a NUL', bundle(`volume: ▶"/a\\0b", ${files}`), ['bundles.web.volume', /absolute path/]],
  ])
})

describe('values without a template', () => {
  function from(file: string): string {
    return `providers: { repo: { type: git, url: x } }\n${withFiles(`{ path: a, ${file} }`)}`
  }
  const at = 'bundles.web.files[0]'
  table('a value', [
    [
      'no format',
      `providers: { repo: { type: git, url: x } }\n${withFiles('▶{ path: a, from: "repo://a" }')}`,
      [`${at}.format`, /want "dotenv", "json".* or "raw", got nothing/],
    ],
    ['a misspelt format', from('from: "repo://a", format: ▶jason'), [`${at}.format`, /got "jason"/, /"json"/]],
    ['no reference', from('from: ▶"a.json", format: json'), [`${at}.from`, /want a reference/, /PROVIDER:\/\/PATH/]],
    ['an unknown provider', from('from: ▶"rep://a", format: json'), [`${at}.from`, /"rep"/, /"repo"/]],
    [
      'a template as well',
      from('▶from: "repo://a", format: json, content: x').replace('{ path: a, ▶', '▶{ path: a, '),
      [at, /got content and from/],
    ],
    [
      'a dialect of another format',
      from('from: "repo://a", format: dotenv, dialect: ▶java'),
      [`${at}.dialect`, /want dotenv, shell, systemd or docker for dotenv, got "java"/],
    ],
    [
      'a dialect where there is none',
      from('from: "repo://a", format: json, ▶dialect: shell'),
      [`${at}.dialect`, /want no dialect for json/, /remove it/],
    ],
    [
      'a misspelt dialect',
      from('from: "repo://a", format: dotenv, dialect: ▶sytemd'),
      [`${at}.dialect`, /got "sytemd"/, /"systemd"/],
    ],
    [
      'a section elsewhere',
      from('from: "repo://a", format: xml, ▶section: a'),
      [`${at}.section`, /want section with ini only, got it with xml/],
    ],
    ['a root elsewhere', from('from: "repo://a", format: ini, ▶root: a'), [`${at}.root`, /want root with xml only/]],
    [
      'keys of what has none',
      from('from: "repo://a", format: raw, ▶only: [a]'),
      [`${at}.only`, /want only with dotenv.* only, got it with raw/],
    ],
    ['no keys', from('from: "repo://a", format: json, only: ▶[]'), [`${at}.only`, /at least one key/]],
    ['delimiters', from('from: "repo://a", format: json, ▶delims: ["<<", ">>"]'), [`${at}.delims`, /known here/]],
  ])
})
