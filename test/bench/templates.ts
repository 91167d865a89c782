import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toValue, type Value } from '../../lib/base/value.ts'
import { standardFunctions, type Environment } from '../../lib/template/functions/standard.ts'
import { parseTemplate } from '../../lib/template/template.ts'
import { buildGo, GoProgram } from './go.ts'
import { timePerRunNs, type Figure } from './measure.ts'

interface Recorded {
  readonly go: string
  readonly calibration: readonly { readonly name: string; readonly ns: number }[]
  readonly workloads: readonly Workload[]
}

interface Workload {
  readonly name: string
  readonly text: string
  readonly outputSha256: string
  readonly executeNs: number
}

/** The data of each workload, as its description in the record says. */
const DATA: Readonly<Record<string, () => unknown>> = {
  'a list of 1,000 lines': () => ({ lines: lines(1_000, i => ({ name: `host-${i}`, port: 8_000 + i })) }),
  'a map of 10,000 keys': () => ({ entries: Object.fromEntries(lines(10_000, i => [`key-${i}`, `value-${i}`])) }),
  '200 function calls': () => ({
    lines: lines(50, i => ({ name: `host-${i}`, port: 8_000 + i, tags: ['a', `tag-${i}`] })),
  }),
  '100 branches in branches': () => ({
    zones: ['z-0', 'z-1', 'z-2'],
    lines: lines(100, i => ({ name: `host-${i}`, tags: i % 5 === 0 ? [] : ['a'], meta: { zone: `z-${i % 4}` } })),
  }),
  '200 calls of library functions': () => ({
    lines: lines(20, i => ({
      name: `host-${i}`,
      port: 8_000 + i,
      tags: `a,b,tag-${i}`,
      text: '  some words of no import  ',
      none: '',
    })),
  }),
}

/** Rounds, ours and Go's in turn, of some milliseconds each; the fastest counts, since a busy machine only ever adds. */
const ROUNDS = 50
const ROUND_MS = 20

/** Our rendering beside Go's: in turn where Go is at hand, else beside what was recorded. */
export async function measureTemplates(): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-bench-go-'))
  try {
    return [
      ...(await measureBeside('go-parity', 'go-template-cost.json', directory)),
      ...(await measureBeside('function-parity', 'go-function-cost.json', directory)),
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measureBeside(
  program: 'go-parity' | 'function-parity',
  record: string,
  directory: string,
): Promise<readonly Figure[]> {
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, record), 'utf8')) as Recorded
  const built = buildGo(program, directory)
  if (built === undefined) return measureRecorded(recorded)
  const go = new GoProgram(built)
  try {
    const figures: Figure[] = []
    for (const workload of recorded.workloads) {
      const execute = executing(workload)
      let ours = Infinity
      let theirs = Infinity
      timePerRunNs(execute)
      for (let i = 0; i < ROUNDS; i++) {
        theirs = Math.min(theirs, await go.measure(workload.name))
        ours = Math.min(ours, roundNs(execute))
      }
      figures.push(figureOf(workload.name, ours / theirs, `Go in the same run (${shown(ours)}, ${shown(theirs)})`))
    }
    return figures
  } finally {
    await go.end()
  }
}

/** Scaled by how fast this machine is at the same plain work. */
function measureRecorded({ go, calibration, workloads }: Recorded): readonly Figure[] {
  // How much slower this machine is now than the recording one was, by two kinds of plain work: the smaller factor is used, so that
  // a busy machine flatters nobody.
  const scale = Math.min(...calibration.map(({ name, ns }) => fastestNs(CALIBRATIONS[name] ?? throwUnknown) / ns))
  return workloads.map(workload => {
    const ratio = fastestNs(executing(workload)) / (workload.executeNs * scale)
    return figureOf(workload.name, ratio, `${go} as recorded`)
  })
}

function figureOf(name: string, ratio: number, beside: string): Figure {
  return {
    what: `${name}: time, against ${beside}`,
    value: `${ratio.toFixed(2)} x`,
    goal: { text: '<= 1 x', met: ratio <= 1 },
  }
}

/** What executes a workload once; its output has been compared. */
function executing({ name, text, outputSha256 }: Workload): () => void {
  const template = parseTemplate({ name, text, functions: standardFunctions<Environment>() })
  const dot: Value = toValue(DATA[name]?.())
  const digest = createHash('sha256').update(template.execute(dot, WORLD)).digest('hex')
  if (digest !== outputSha256) throw new Error(`${name}: the output is not the recorded one`)
  return () => void template.execute(dot, WORLD)
}

const WORLD: Environment = { environment: {}, now: () => 0, networkAddresses: () => [] }

function fastestNs(work: () => void): number {
  timePerRunNs(work)
  return Math.min(...Array.from({ length: ROUNDS }, () => roundNs(work)))
}

function roundNs(work: () => void): number {
  let count = 0
  const start = performance.now()
  let now = start
  for (; now < start + ROUND_MS; now = performance.now()) {
    work()
    count++
  }
  return ((now - start) * 1e6) / count
}

function shown(ns: number): string {
  return `${(ns / 1e3).toFixed(0)} µs`
}

const MEGABYTE = Buffer.alloc(1024 * 1024)

const CALIBRATIONS: Readonly<Record<string, () => void>> = {
  sha256: () => void createHash('sha256').update(MEGABYTE).digest(),
  fnv1a: () => void fnv1a(MEGABYTE),
}

function throwUnknown(): never {
  throw new Error('the record has a calibration that is not known here')
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193)
  return hash >>> 0
}

function lines<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}
