// Runs a tool of this project on the Node that package.json pins, and installs what is missing first.
//
//     node cmd/build/bootstrap.mjs TOOL [ARGUMENT…]      TOOL: `node`, or a name in node_modules/.bin
//
// This file is plain JavaScript for Node >= 20, because it is what an older Node meets first. `npm ci` runs when the
// installation is missing or older than the lock file; a stamp beside the packages remembers which lock it was made from.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.outrigger-lock')
const pinned = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock || !existsSync(pinned)) {
  process.stderr.write('outrigger: installing packages (npm ci)\n')
  const installed = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    shell: process.platform === 'win32',
  })
  if (installed.status !== 0) {
    process.stderr.write('outrigger: npm ci failed; see above. It needs git, npm and the npm registry.\n')
    process.exit(1)
  }
  if (!existsSync(pinned)) {
    process.stderr.write(
      `outrigger: npm ci did not install ${pinned}; are install scripts disabled (ignore-scripts)?\n`,
    )
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}

const [tool, ...rest] = process.argv.slice(2)
if (tool === undefined) {
  process.stderr.write('usage: node cmd/build/bootstrap.mjs TOOL [ARGUMENT…]\n')
  process.exit(2)
}
const command = tool === 'node' ? pinned : join(modules, '.bin', tool)
const child = spawn(command, rest, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: [dirname(pinned), join(modules, '.bin'), process.env.PATH].join(delimiter) },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', error => {
  process.stderr.write(`outrigger: cannot start ${tool}: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
