import { once } from 'node:events'
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { disk } from '../../lib/base/disk.ts'
import { volumePublisher } from '../../lib/publish/volume.ts'
import { scratch } from '../support/scratch.ts'

const READS = Number(process.env['OUTRIGGER_TEST_READS'] ?? 1_000_000)
const BATCH = 20_000

/** Reads both files of the pair again and again: through one resolved directory, or by two paths. Runs in a worker. */
const reader = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { readFileSync, realpathSync } = require('node:fs')
  const { volume, batch } = workerData
  parentPort.on('message', pinned => {
    let mixed = 0
    let missing = 0
    for (let i = 0; i < batch; i++) {
      try {
        const directory = pinned ? realpathSync.native(volume + '/..data') : volume
        const one = readFileSync(directory + '/tls.crt', 'latin1')
        const other = readFileSync(directory + '/tls.key', 'latin1')
        if (one !== other) mixed++
      } catch (error) {
        if (error.code !== 'ENOENT') throw error
        missing++
      }
    }
    parentPort.postMessage({ mixed, missing })
  })
`

test(
  `a reader that pins the generation sees no mixed pair in ${READS} reads while generations are published as fast as possible`,
  { timeout: 300_000 },
  async () => {
    const volume = join(scratch({ inMemory: true }), 'volume')
    const publisher = volumePublisher(volume, { fileSystem: disk, clock: systemClock, keepAgeMs: 10_000 })
    await publisher.prepare()
    let number = 0
    const publish = async () => {
      number++
      const content = Buffer.from(String(number))
      const files = ['tls.crt', 'tls.key'].map(path => ({ path, content, mode: 0o644 }))
      await publisher.stage(number, files)
      await publisher.publish(number)
      if (number % 50 === 0) await publisher.collect(3, [])
    }
    await publish()
    const worker = new Worker(reader, { eval: true, workerData: { volume, batch: BATCH } })
    const counts = { pinned: { reads: 0, mixed: 0, missing: 0 }, free: { reads: 0, mixed: 0, missing: 0 } }
    try {
      for (let turn = 1; counts.pinned.reads < READS; turn++) {
        // One in ten does not pin, to measure what such a reader has to expect.
        const pinned = turn % 10 !== 0
        const done = once(worker, 'message') as Promise<[{ mixed: number; missing: number }]>
        worker.postMessage(pinned)
        let result: { mixed: number; missing: number } | undefined
        void done.then(([counted]) => (result = counted))
        while (result === undefined) await publish()
        const sum = pinned ? counts.pinned : counts.free
        sum.reads += BATCH
        sum.mixed += result.mixed
        sum.missing += result.missing
      }
    } finally {
      await worker.terminate()
    }

    process.stdout.write(`hostile reader: ${JSON.stringify(counts)} while ${number} generations were published\n`)
    expect(counts.pinned).toMatchObject({ mixed: 0, missing: 0 })
    expect(number).toBeGreaterThan(100)
    expect(readFileSync(join(realpathSync(join(volume, '..data')), 'tls.key'), 'utf8')).toBe(String(number))
  },
)
