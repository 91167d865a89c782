// Looks at `dist/outrigger.js` as it is shipped: its size, how fast it starts, and that it does its work.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'

const program = resolve(import.meta.dirname, '../dist/outrigger.js')

/** What a whole sidecar may weigh; it is loaded on every start. */
const PROGRAM_BYTES_MAX = 2_000_000
/** Start to the first output, against a bare Node. Shared machines wander, so this is a fence far out, not the target. */
const START_RATIO_MAX = 4
const STARTS = 15

const problems: string[] = []

const bytes = statSync(program).size
say('size', `${Math.ceil(bytes / 1000)} kB`, bytes <= PROGRAM_BYTES_MAX)

const bareMs = shortest(() => run(['-e', '0']))
const versionMs = shortest(() => run([program, '--version']))
say('start', `${versionMs.toFixed(0)} ms, bare Node ${bareMs.toFixed(0)} ms`, versionMs <= START_RATIO_MAX * bareMs)

const directory = mkdtempSync(join(tmpdir(), 'outrigger-program-'))
try {
  mkdirSync(join(directory, 'values'))
  writeFileSync(join(directory, 'values', 'name'), 'world')
  writeFileSync(
    join(directory, 'outrigger.yaml'),
    `providers:
  local: { type: file, path: ${join(directory, 'values')} }
bundles:
  web:
    volume: ${join(directory, 'volume')}
    files:
      - { path: hello.txt, content: "Hello, {{ ref \\"local://name\\" }}!\\n" }
state: ${join(directory, 'state')}
`,
  )
  const verb = (...args: readonly string[]) => run([program, ...args, '-c', join(directory, 'outrigger.yaml')])
  say('help', 'prints the usage', run([program, '--help']).stdout.startsWith('Usage:'))
  say('bad usage', 'exits with 2', run([program, 'nonsense']).status === 2)
  const validated = verb('validate')
  say('validate', 'exits with 0', validated.status === 0, validated.stderr)
  say('render', 'prints the file', verb('render').stdout.includes('Hello, '))
  const once = verb('once', '--timeout', '20s')
  say('once', 'exits with 0', once.status === 0, once.stderr)
  const shown = once.status === 0 && readFileSync(join(directory, 'volume', 'hello.txt'), 'utf8')
  say('published', 'shows the value', shown === 'Hello, world!\n')
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(problems.length === 0 ? 0 : 1)

function run(args: readonly string[]) {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000, env })
}

/** The shortest time of what is done several times, in milliseconds: what else the machine does makes it longer only. */
function shortest(action: () => unknown): number {
  const times = Array.from({ length: STARTS }, () => {
    const startedMs = performance.now()
    action()
    return performance.now() - startedMs
  })
  return Math.min(...times)
}

function say(what: string, found: string, good: boolean, why = ''): void {
  process.stdout.write(`${what.padEnd(10)} ${found.padEnd(32)} ${good ? 'ok' : `WRONG ${why}`}\n`)
  if (!good) problems.push(what)
}
