import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toValue, type Value } from '../../lib/base/value.ts'
import { parseTemplate } from '../../lib/template/template.ts'
import { timePerRunNs, type Figure } from './measure.ts'

interface Recorded {
  readonly go: string
  readonly calibration: readonly { readonly name: string; readonly ns: number }[]
  readonly workloads: readonly {
    readonly name: string
    readonly text: string
    readonly outputSha256: string
    readonly executeNs: number
  }[]
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
}

/** Our rendering beside the recorded cost of Go's, scaled by how fast this machine is at the same plain work. */
export function measureTemplates(): readonly Figure[] {
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'go-template-cost.json'), 'utf8')) as Recorded
  // How much slower this machine is now than the recording one was, by two kinds of plain work: the smaller factor is used, so that
  // a busy machine flatters nobody.
  const scale = Math.min(
    ...recorded.calibration.map(({ name, ns }) => timePerRunNs(CALIBRATIONS[name] ?? throwUnknown) / ns),
  )
  return recorded.workloads.map(({ name, text, outputSha256, executeNs }) => {
    const template = parseTemplate({ name, text, functions: new Map() })
    const dot: Value = toValue(DATA[name]?.())
    const digest = createHash('sha256').update(template.execute(dot, undefined)).digest('hex')
    if (digest !== outputSha256) throw new Error(`${name}: the output is not the recorded one`)
    const ratio = timePerRunNs(() => void template.execute(dot, undefined)) / (executeNs * scale)
    return {
      what: `${name}: time, against ${recorded.go}`,
      value: `${ratio.toFixed(2)} x`,
      goal: { text: '<= 1 x', met: ratio <= 1 },
    }
  })
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
