import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { median, ms, times, type Figure } from './measure.ts'
import { bareEnvironment, makePlace, removePlace } from './place.ts'

const RUNS = 15

/** From the start of `once` to its end with the first generation published, beside a bare `node -e 0`, in turn. */
export function measureStart(program: string): readonly Figure[] {
  const place = makePlace({ memory: true, quiet: '200ms' })
  const bare: number[] = []
  const once: number[] = []
  try {
    for (let i = 0; i < RUNS + 1; i++) {
      rmSync(place.volume, { recursive: true, force: true })
      rmSync(join(place.root, 'state'), { recursive: true, force: true })
      bare.push(time(['-e', '0']))
      once.push(time([program, 'once', '-c', place.config]))
    }
  } finally {
    removePlace(place)
  }
  // The first of each warms the caches.
  const ratio = median(once.slice(1)) / median(bare.slice(1))
  return [
    { what: 'bare node -e 0', value: ms(median(bare.slice(1))) },
    { what: 'once, to the first generation', value: ms(median(once.slice(1))) },
    { what: 'ratio', value: times(ratio), goal: { text: '<= 3 x', met: ratio <= 3 } },
  ]
}

function time(args: readonly string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { env: bareEnvironment, encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} exited with ${status}: ${stderr}`)
  return performance.now() - start
}
