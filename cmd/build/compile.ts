// Tries the program out once, and keeps what V8 made of it: the functions that a start needs, compiled.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** What `starter.ts` needs beside the program. */
export interface Compiled {
  readonly bytes: Uint8Array
  /** The Node that made it, and SHA-256 of the bytes. */
  readonly stamp: { readonly by: string; readonly sha256: string }
}

/** A first generation takes less than a second; a program that hangs is no reason for a build to hang. */
const TRY_MS_MAX = 60_000

const CONFIG = `# Tried out when the program is built.
providers:
  local:
    type: file
    path: ./values
bundles:
  web:
    volume: ./volume
    files:
      - { path: hello.txt, content: "Hello, {{ ref \\"local://name\\" | printf \\"%q\\" }}!\\n" }
state: ./state
`

/** Compiles a program, given as the text of a function expression with a CommonJS module's parameters, by running `once` on
 *  a scratch configuration in a process of its own. Throws when that publishes nothing. */
export function compile(source: string): Compiled {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-compile-'))
  try {
    const [program, config, result] = ['program.js', 'outrigger.yaml', 'result'].map(name => join(directory, name))
    mkdirSync(join(directory, 'values'))
    writeFileSync(join(directory, 'values', 'name'), 'world\n')
    writeFileSync(config as string, CONFIG)
    writeFileSync(program as string, source)
    const args = [import.meta.filename, program, result, 'once', '-c', config, '--timeout', '30s'] as string[]
    const tried = spawnSync(process.execPath, args, { encoding: 'utf8', env: {}, timeout: TRY_MS_MAX })
    if (tried.status !== 0) throw new Error(`the program failed when it was tried out: ${tried.stderr}`)
    const bytes = readFileSync(result as string)
    const { version, platform, arch, execPath } = process
    const by = `${version} ${platform} ${arch} ${statSync(execPath).size}`
    return { bytes, stamp: { by, sha256: createHash('sha256').update(bytes).digest('hex') } }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The child: runs the program as the starter does, and writes down what V8 has when it ends. */
function tryOut(program: string, result: string, args: readonly string[]): void {
  const script = new Script(readFileSync(program, 'latin1'), { filename: program })
  process.argv = [process.execPath, program, ...args]
  process.on('exit', () => writeFileSync(result, script.createCachedData()))
  const module = { exports: {} }
  const run = script.runInThisContext() as (...scope: unknown[]) => void
  run.call(module.exports, module.exports, createRequire(program), module, program, dirname(program))
}

const [, , program, result, ...args] = process.argv
if (import.meta.main && program !== undefined && result !== undefined) tryOut(program, result, args)
