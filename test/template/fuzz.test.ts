import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { Tally, Task } from './fuzz/worker.ts'

const INPUTS = 1_000_000
const SEED = 20_260_903
/** For the heap of the whole worker, its code and the inputs included. One that needs more is ended by V8, with an error. */
const HEAP_MIB_MAX = 64
/** One input that takes longer than this hangs; most take some microseconds. */
const HANG_MS = 60_000
const ALL_MS = 1_800_000

test(
  `each of ${INPUTS} random inputs ends in a tree or in an error with its place, within ${HEAP_MIB_MAX} MiB`,
  async () => {
    const tally = await parseInWorker({ seed: SEED, count: INPUTS })

    expect(tally.failure).toBeUndefined()
    expect(tally.trees + tally.errors).toBe(INPUTS)
    // Either kind is frequent, or the inputs would prove little.
    expect(tally.trees).toBeGreaterThan(INPUTS / 10)
    expect(tally.errors).toBeGreaterThan(INPUTS / 10)
  },
  ALL_MS,
)

async function parseInWorker(task: Omit<Task, 'progress'>): Promise<Tally> {
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const where = () => `at input ${Atomics.load(progress, 0)} of seed ${task.seed}`
  const worker = new Worker(new URL('./fuzz/worker.ts', import.meta.url), {
    workerData: { ...task, progress } satisfies Task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX, maxYoungGenerationSizeMb: 8 },
  })
  const { promise, resolve, reject } = Promise.withResolvers<Tally>()
  let seen = -1
  const alarm = setInterval(() => {
    const now = Atomics.load(progress, 0)
    if (now === seen) reject(new Error(`no end ${where()}`))
    seen = now
  }, HANG_MS)
  worker.once('message', resolve)
  worker.once('error', (error: unknown) => reject(new Error(`the worker ended ${where()}`, { cause: error })))
  try {
    return await promise
  } finally {
    clearInterval(alarm)
    await worker.terminate()
  }
}
