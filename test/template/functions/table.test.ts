import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { Tally, Task } from './table/worker.ts'

/** For the heap of the whole worker, its code and the arguments included. One that needs more is ended by V8, with an error. */
const HEAP_MIB_MAX = 384
/** All calls together take some 20 seconds where the machine is idle. */
const ALL_MS = 600_000
const CALLS_MIN = 1_500

test(
  `no function of the table takes long or more than ${HEAP_MIB_MAX} MiB, whatever it is given`,
  async () => {
    const { ended, wrong } = await callAllInWorker()

    expect(wrong).toEqual([])
    expect(ended.output + ended.execute + ended.bound).toBeGreaterThan(CALLS_MIN)
    // Each is frequent, or the calls would prove little.
    expect(ended.output).toBeGreaterThan(CALLS_MIN / 10)
    expect(ended.execute).toBeGreaterThan(CALLS_MIN / 10)
    expect(ended.bound).toBeGreaterThan(CALLS_MIN / 100)
  },
  ALL_MS,
)

/** A function that does not come back is named by its place in the table when the time is over. */
async function callAllInWorker(): Promise<Tally> {
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const where = () => `at function ${Atomics.load(progress, 0)} of the table`
  const worker = new Worker(new URL('./table/worker.ts', import.meta.url), {
    workerData: { progress } satisfies Task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX, maxYoungGenerationSizeMb: 32 },
  })
  const { promise, resolve, reject } = Promise.withResolvers<Tally>()
  const alarm = setTimeout(() => reject(new Error(`no end ${where()}`)), ALL_MS - 10_000)
  worker.once('message', resolve)
  worker.once('error', (error: unknown) => reject(new Error(`the worker ended ${where()}`, { cause: error })))
  try {
    return await promise
  } finally {
    clearTimeout(alarm)
    await worker.terminate()
  }
}
