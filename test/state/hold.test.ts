import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { disk } from '../../lib/base/disk.ts'
import { Hold } from '../../lib/state/hold.ts'
import { acquireLock } from '../../lib/state/lock.ts'
import { scratch } from '../support/scratch.ts'

const signal = new AbortController().signal

test('a hold makes the directory and takes its lock, once', async () => {
  const directory = join(scratch(), 'volume')
  const hold = new Hold(directory, disk, systemClock, signal)

  await Promise.all([hold.ensure(), hold.ensure()])

  await expect(acquireLock(directory, systemClock, signal)).rejects.toMatchObject({ code: 'locked' })
  expect(readdirSync(directory)).toHaveLength(1)
  await hold.release()
  await hold.release()
  expect(readdirSync(directory)).toEqual([])
})

test('a hold takes the lock again where the directory was replaced', async () => {
  const directory = join(scratch(), 'volume')
  const hold = new Hold(directory, disk, systemClock, signal)
  await hold.ensure()
  rmSync(directory, { recursive: true })

  await hold.ensure()

  await expect(acquireLock(directory, systemClock, signal)).rejects.toMatchObject({ code: 'locked' })
  await hold.release()
})

test('a hold that was lost to somebody else says so, and is taken again when it is free', async () => {
  const directory = join(scratch(), 'volume')
  const hold = new Hold(directory, disk, systemClock, signal)
  await hold.ensure()
  rmSync(directory, { recursive: true })
  await disk.makeDirectories(directory, 0o755)
  const other = await acquireLock(directory, systemClock, signal)

  await expect(hold.ensure()).rejects.toMatchObject({ code: 'locked' })
  await other.release()
  await hold.ensure()
  await hold.release()
})
