import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../../cmd/build/bundle.ts'
import { measureConsul } from './consul.ts'
import { measureEtcd } from './etcd.ts'
import { measureEtcdKeys } from './etcd-keys.ts'
import { measureFleet } from './fleet.ts'
import { measureIdle } from './idle.ts'
import { measureLatency } from './latency.ts'
import { printFigures } from './measure.ts'
import { measurePasses } from './passes.ts'
import { measureStart } from './start.ts'
import { measureTemplates } from './templates.ts'
import { measureVault } from './vault.ts'

// `npm run bench [PART…]` prints the figures that the README speaks of, on this machine, each beside what it is compared with in
// the same run. Nothing here fails on a slow machine: a goal that is missed is said, not thrown.

const PARTS: Readonly<Record<string, readonly [string, (program: string) => unknown]>> = {
  start: ['Start', measureStart],
  latency: ['A changed file, until it is visible and until an HTTP hook is told', measureLatency],
  consul: ['A changed key of Consul, from the write being acknowledged', measureConsul],
  etcd: ['A changed key of etcd, from the write being acknowledged', measureEtcd],
  'etcd-keys': ['10,000 keys of etcd in 1,000 templates, from the write being acknowledged', measureEtcdKeys],
  vault: ['Secrets of a Vault', measureVault],
  fleet: ['Ten thousand sidecars on one Vault', measureFleet],
  passes: ['A pass over 1,000 templates', measurePasses],
  templates: ['Rendering a template', measureTemplates],
  idle: ['Resident memory after a minute of nothing to do', measureIdle],
}

const wanted = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'outrigger-bench-build-'))
try {
  const program = join(directory, 'outrigger.js')
  await bundle(program)
  process.stdout.write(`node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}\n`)
  for (const [name, [title, measure]] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    printFigures(title, (await measure(program)) as Parameters<typeof printFigures>[1])
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
