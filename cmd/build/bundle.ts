// Makes the program: one file, `dist/outrigger.js`, that Node runs as it is; and beside it what lets it start faster.
//
// One CommonJS file, because that is what starts fastest and takes the least memory: no resolving at run time, no facades
// of built-in modules (the one of `node:http` alone loads undici, 17 MiB). What is imported with `await import()` stays
// unevaluated inside the file until that line is reached, so a provider costs nothing where it is not configured. Most of
// what is left of a start is V8 compiling; so it is kept what that came to, in `dist/outrigger.js.compiled` (starter.ts).
import { build, type BuildResult, type Plugin } from 'esbuild'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { withoutCommentEnds } from './comment.ts'
import { compile, type Compiled } from './compile.ts'

const root = resolve(import.meta.dirname, '../..')
const main = join(root, 'cmd/main.ts')

export interface BundleOptions {
  /** The module that is run. @default cmd/main.ts */
  readonly entry?: string
  /** Whether it is tried out, and what V8 made of it is written beside it, as `OUTFILE.compiled`. @default when it is the program */
  readonly tryOut?: boolean
}

export interface Bundled {
  readonly outfile: string
  /** Of the program itself, without the license notices at its end. */
  readonly codeBytes: number
  /** The third-party packages inside, `name@version`, sorted. */
  readonly packages: readonly string[]
}

/** Writes the program to `outfile`, executable; its directory is made. Rejects with esbuild's `BuildFailure`, or when the program
 *  fails as it is tried out. */
export async function bundle(
  outfile: string,
  { entry = main, tryOut = entry === main }: BundleOptions = {},
): Promise<Bundled> {
  const { version } = await readManifest(root)
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    outfile,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    // Where the program is compiled, by the starter, there is `require` only.
    supported: { 'dynamic-import': false },
    // Names stay as they are, and so do lines of a readable length: without them the stack of a bug report would say nothing,
    // and V8 would not be faster. Without comments and white space there is a third less to read at each start.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 120,
    metafile: true,
    legalComments: 'none',
    logLevel: 'silent',
    // `import.meta.require` is how a module says that a package is evaluated when it is first needed, not at the start.
    define: { OUTRIGGER_VERSION: JSON.stringify(version), 'import.meta.require': 'require' },
    plugins: [leftOut],
  })
  const packages = await packagesIn(result)
  const code = asciiCode(result.outputFiles[0]?.text ?? '')
  const source = withoutCommentEnds(`(function (exports, require, module, __filename, __dirname) {\n${code}})`)
  const compiled = tryOut ? compile(source) : undefined
  await mkdir(dirname(resolve(outfile)), { recursive: true })
  await writeFile(outfile, `${HEAD}${await started(source, compiled)}${asciiProse(notices(packages))}`)
  await chmod(outfile, 0o755)
  if (compiled === undefined) await rm(`${outfile}.compiled`, { force: true })
  else await writeFile(`${outfile}.compiled`, compiled.bytes)
  return { outfile, codeBytes: code.length, packages: packages.map(({ name, version }) => `${name}@${version}`) }
}

const HEAD = '#!/usr/bin/env node\n/* The notices of the packages in this file stand at its end. */\n'

/** The starter, and behind it the program as the starter wants it. */
async function started(source: string, compiled: Compiled | undefined): Promise<string> {
  const head = async (line: number) => {
    const stamp = compiled === undefined ? 'undefined' : JSON.stringify(compiled.stamp)
    const { outputFiles } = await build({
      entryPoints: [join(root, 'cmd/build/starter.ts')],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      target: 'node26',
      define: { COMPILED: stamp, LINE: String(line) },
    })
    return `${outputFiles[0]?.text ?? ''}function program() {/*\n`
  }
  const line = `${HEAD}${await head(1)}`.split('\n').length
  return `${await head(line)}${source}\n*/}\n`
}

/** V8 keeps the source for as long as the program runs, in one byte a character if all are ASCII and else in two: 1.3 MiB. What
 *  esbuild does not escape by itself stands in regular expressions and comments, where an escape means the same. */
function asciiCode(code: string): string {
  return code.replaceAll(NOT_ASCII, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function asciiProse(text: string): string {
  return text
    .replaceAll(/[\u201c\u201d]/g, '"')
    .replaceAll(/[\u2018\u2019]/g, "'")
    .replaceAll('\u00a9', '(c)')
    .replaceAll(NOT_ASCII, '?')
}

const NOT_ASCII = /[\u007f-\uffff]/g

/** What others require and has no place here, with what stands in for it. */
const LEFT_OUT: readonly LeftOut[] = [
  // node-vault talks through a transport of ours; loading this would cost 25 MiB and 50 ms.
  { path: 'axios', contents: throwing('axios') },
  // simple-git would print the whole environment of its children, passwords and all, for anybody who sets DEBUG.
  {
    path: 'debug',
    contents: `const silent = () => Object.assign(() => {}, { enabled: false, extend: silent })
module.exports = Object.assign(silent, { default: silent, formatters: {}, enable() {}, disable() {}, enabled: () => false })`,
  },
  // The log writes by itself: to no file, in no thread.
  { path: 'sonic-boom', contents: throwing('sonic-boom') },
  { path: './transport', from: 'pino', contents: throwing("pino's transports") },
  { path: './lib/transport', from: 'pino', contents: throwing("pino's transports") },
  { path: 'worker_threads', from: 'pino', contents: 'module.exports = { isMainThread: true }' },
  { path: 'worker_threads', from: 'write-file-atomic', contents: 'module.exports = { threadId: 0 }' },
  // A WebSocket reads little: no native code that happens to lie around is loaded for it. What is missing there is known by its error.
  { path: 'bufferutil', from: 'ws', contents: "throw new Error('bufferutil is not part of this build')" },
  { path: 'utf-8-validate', from: 'ws', contents: "throw new Error('utf-8-validate is not part of this build')" },
  // Our verbs are no programs of their own that would have to be started.
  { path: 'node:child_process', from: 'commander', contents: throwing('starting programs for verbs') },
]

interface LeftOut {
  /** As it is required. */
  readonly path: string
  /** The package that requires it, when others may have it. */
  readonly from?: string
  readonly contents: string
}

function throwing(what: string): string {
  return `module.exports = function () { throw new Error(${JSON.stringify(`${what} is not part of this build`)}) }`
}

const leftOut: Plugin = {
  name: 'left-out',
  setup(builder) {
    for (const { path, from, contents } of LEFT_OUT) {
      const namespace = `left out of ${from ?? 'all'}`
      const filter = new RegExp(`^${RegExp.escape(path)}$`)
      builder.onResolve({ filter }, ({ importer }) => {
        return from === undefined || importer.includes(`/node_modules/${from}/`) ? { path, namespace } : undefined
      })
      builder.onLoad({ filter, namespace }, () => ({ contents }))
    }
  },
}

interface Package {
  readonly name: string
  readonly version: string
  readonly license: string
  /** The text of its license file. */
  readonly notice: string
}

async function packagesIn({ metafile }: BuildResult<{ metafile: true }>): Promise<readonly Package[]> {
  const directories = new Set<string>()
  for (const input of Object.keys(metafile.inputs)) {
    const [, directory] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? []
    if (directory !== undefined) directories.add(join(root, directory))
  }
  return await Promise.all([...directories].toSorted().map(readPackage))
}

async function readPackage(directory: string): Promise<Package> {
  const { name, version, license } = await readManifest(directory)
  const file = (await readdir(directory)).find(entry => /^(licen[cs]e|copying)(\.|-|$)/i.test(entry))
  const notice = file === undefined ? `License: ${license}` : await readFile(join(directory, file), 'utf8')
  return { name, version, license, notice }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
}

async function readManifest(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest
}

function notices(packages: readonly Package[]): string {
  return packages
    .map(({ name, version, license, notice }) => {
      const text = notice.trim().replaceAll('*/', '* /')
      return `/*\n${name} ${version} (${license})\n\n${text}\n*/\n`
    })
    .join('')
}

if (import.meta.main) {
  const outfile = resolve(process.argv[2] ?? join(root, 'dist/outrigger.js'))
  const { codeBytes, packages } = await bundle(outfile)
  // Beside a package.json that says "module", a CommonJS file needs one of its own that does not.
  await writeFile(join(dirname(outfile), 'package.json'), '{ "type": "commonjs" }\n')
  const kilobytes = Math.ceil(codeBytes / 1000)
  process.stdout.write(
    `${relative(process.cwd(), outfile)}: ${kilobytes} kB, with ${packages.join(', ') || 'no packages'}\n`,
  )
}
