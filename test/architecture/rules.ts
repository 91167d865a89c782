import { posix } from 'node:path'
import { readSource, type Import, type Source, type Tree } from './source.ts'

/** Who may import what of ours. The first layer whose `files` fit is a file's own. */
interface Layer {
  readonly files: RegExp
  /** What a file may import besides, as the start of a path; `$1` is what the group in `files` found. */
  readonly own: string | undefined
  readonly values: readonly RegExp[]
  /** What may be imported with `import type`, besides. */
  readonly types: readonly RegExp[]
}

const BASE = /^lib\/base\//
const VOCABULARY = /^lib\/[^/]+\.ts$/
const TEMPLATE = /^lib\/template\//
const SECOND = /^lib\/(config|store|render|publish|gate|notify|state|supervise)\//

const LAYERS: readonly Layer[] = [
  // What builds the program is no part of it.
  { files: /^cmd\/build\//, own: 'cmd/', values: [/^(lib|providers)\//], types: [] },
  { files: /^cmd\//, own: 'cmd/verbs/', values: [/^cmd\/[^/]+\.ts$/, /^(lib|providers)\//], types: [] },
  { files: /^lib\/(sync|admin)\//, own: 'lib/$1/', values: [VOCABULARY, BASE], types: [SECOND] },
  { files: /^lib\/(render)\//, own: 'lib/$1/', values: [VOCABULARY, BASE, TEMPLATE], types: [] },
  { files: SECOND, own: 'lib/$1/', values: [VOCABULARY, BASE], types: [] },
  { files: /^providers\/index\.ts$/, own: 'providers/', values: [VOCABULARY, BASE], types: [] },
  { files: /^providers\/poll\.ts$/, own: 'providers/poll.ts', values: [VOCABULARY, BASE], types: [] },
  {
    files: /^providers\/([^/]+)\//,
    own: 'providers/$1/',
    values: [VOCABULARY, BASE, /^providers\/poll\.ts$/],
    types: [],
  },
  { files: /^lib\/(template)\//, own: 'lib/$1/', values: [BASE], types: [] },
  { files: /^lib\/(base)\//, own: 'lib/$1/', values: [], types: [] },
  { files: VOCABULARY, own: undefined, values: [VOCABULARY, BASE], types: [] },
]

/** The one home of each third-party package: a file, or a folder when it ends in `/`. */
export const HOMES: Readonly<Record<string, string>> = {
  '@valibot/to-json-schema': 'lib/config/json-schema.ts',
  bcryptjs: 'lib/template/functions/sprig/bcrypt.ts',
  chokidar: 'providers/file/',
  commander: 'cmd/program.ts',
  esbuild: 'cmd/build/',
  'oxc-parser': 'cmd/build/comment.ts',
  pino: 'lib/base/json-log.ts',
  re2js: 'lib/base/regexp.ts',
  'node-vault': 'providers/vault/api.ts',
  'simple-git': 'providers/git/',
  'smol-toml': 'lib/base/toml.ts',
  valibot: 'lib/base/schema.ts',
  'write-file-atomic': 'lib/base/disk.ts',
  ws: 'lib/base/websocket.ts',
  yaml: 'lib/base/yaml.ts',
}

/** Folders whose code the rules are about. */
const CODE = /^(cmd|lib|providers)\/.*\.(ts|mjs|js)$/
const BUILD = 'cmd/build/'
const LINES_MAX = 400
const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/
/** The facade of these modules loads undici, and so do these globals: 17 MiB that a sidecar cannot pay. */
const HEAVY_MODULES: ReadonlySet<string> = new Set(['node:http', 'node:https', 'http', 'https', 'undici'])
const HEAVY_GLOBALS = ['fetch', 'Headers', 'Request', 'Response', 'FormData', 'WebSocket', 'EventSource']

/** What is wrong with a tree, one line each: `path: what`. */
export function problemsOf(tree: Tree): readonly string[] {
  const sources = [...tree].filter(([path]) => CODE.test(path)).map(([path, text]) => readSource(path, text))
  return [
    ...sources.flatMap(source => [...layerProblems(source, tree), ...homeProblems(source), ...processProblems(source)]),
    ...sources.flatMap(weightProblems),
    ...sources
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => `${path}: ${lines} lines, more than ${LINES_MAX}`),
    ...[...tree.keys()].flatMap(nameProblems),
    ...[...tree].flatMap(([path, text]) => privacyProblems(path, text)),
  ]
}

function layerProblems(source: Source, tree: Tree): readonly string[] {
  const { path } = source
  const layer = LAYERS.find(({ files }) => files.test(path))
  if (layer === undefined) return [`${path}: no layer has this folder`]
  const own = layer.own?.replace('$1', layer.files.exec(path)?.[1] ?? '')
  return source.imports.filter(isOurs).flatMap(({ specifier, typeOnly }) => {
    const target = posix.join(posix.dirname(path), specifier)
    if (!tree.has(target)) return [`${path}: imports ${target}, which is not there`]
    const allowed =
      (own !== undefined && target.startsWith(own)) ||
      layer.values.some(pattern => pattern.test(target)) ||
      (typeOnly && layer.types.some(pattern => pattern.test(target)))
    return allowed ? [] : [`${path}: may not import ${target}${typeOnly ? '' : ' for its values'}`]
  })
}

function isOurs({ specifier }: Import): boolean {
  return specifier.startsWith('.') || specifier.startsWith('/')
}

function homeProblems({ path, imports }: Source): readonly string[] {
  return imports.flatMap(imported => {
    const { specifier } = imported
    if (isOurs(imported) || specifier.startsWith('node:')) return []
    if (specifier === '*') return [`${path}: imports a module whose name is computed`]
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    const home = HOMES[name]
    if (home === undefined) return [`${path}: imports ${name}, which has no home`]
    return path === home || (home.endsWith('/') && path.startsWith(home))
      ? []
      : [`${path}: imports ${name}, whose home is ${home}`]
  })
}

function processProblems({ path, globals }: Source): readonly string[] {
  if (path.startsWith(BUILD)) return []
  const main = path === 'cmd/main.ts'
  // The program's last words about a bug of its own stand in main: the terminal itself may be what failed.
  const speaks = main || path === 'cmd/terminal.ts'
  return [...globals].flatMap(name => {
    if (name.startsWith('console.')) return [`${path}: uses ${name}`]
    if (/^process\.(exit|reallyExit|abort|exitCode)$/.test(name) && !main) return [`${path}: uses ${name}`]
    if (/^process\.std(out|err)$/.test(name) && !speaks) return [`${path}: uses ${name}`]
    return []
  })
}

function weightProblems({ path, imports, globals }: Source): readonly string[] {
  const modules = imports.filter(({ specifier, typeOnly }) => !typeOnly && HEAVY_MODULES.has(specifier))
  const used = [...globals].map(name => name.replace(/^globalThis\./, ''))
  const names = HEAVY_GLOBALS.filter(name => used.some(use => use === name || use.startsWith(`${name}.`)))
  return [
    ...modules.map(({ specifier }) => `${path}: imports ${specifier}; use process.getBuiltinModule`),
    ...names.map(name => `${path}: uses ${name}, which loads undici`),
  ]
}

function nameProblems(path: string): readonly string[] {
  const name = posix.basename(path)
  if (!/\.(ts|mjs|js)$/.test(name)) return []
  return FILE_NAME.test(name) ? [] : [`${path}: not a name in kebab-case`]
}

/** Where people and build machines keep their checkouts; a path below says where something was written, not what it is. */
const MACHINE_PATH = /(?<![\w./~-])\/(?:Users|builds|home|work\w*)\/[\w.-]+\/[\w.-]+/
const REGISTRY = /"resolved"\s*:|:_authToken\s*=|https?:\/\/[\w.-]*(?:registry|artifactory|verdaccio)\b/i

function privacyProblems(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    if (MACHINE_PATH.test(line)) return [`${path}:${index + 1}: names a path of a machine`]
    return REGISTRY.test(line) ? [`${path}:${index + 1}: names a package registry`] : []
  })
}
