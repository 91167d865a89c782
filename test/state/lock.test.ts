import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { acquireLock } from '../../lib/state/lock.ts'
import { scratch } from '../support/scratch.ts'

/** What happens to a socket between its making and its renaming. */
const beforeRename = vi.hoisted(() => ({ run: undefined as ((path: string) => Promise<void>) | undefined }))

vi.mock('node:fs/promises', async original => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    async rename(from: string, to: string) {
      await beforeRename.run?.(from)
      await real.rename(from, to)
    },
  }
})

const HOLDER = fileURLToPath(new URL('../support/lock-holder.ts', import.meta.url))

function acquire(directory: string) {
  return acquireLock(directory, systemClock, new AbortController().signal)
}

/** A process that holds the lock, in a process id namespace of its own where `unshare` is given. */
async function holder(directory: string, unshare: readonly string[] = []): Promise<ChildProcess> {
  const [program, ...args] = [...unshare, process.execPath, HOLDER, directory, 'stay']
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the holder ended with ${code}`))),
  ])
  return child
}

test('a lock is held by one, which is named, until it is released', async () => {
  const directory = scratch()
  const lock = await acquire(directory)

  await expect(acquire(directory)).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringMatching(`${directory} is held by pid ${process.pid} on ${hostname()} since 20`),
    hint: expect.any(String),
  })

  await lock.release()
  await lock.release()
  expect(readdirSync(directory)).toEqual([])
  const next = await acquire(directory)
  await next.release()
})

test('whoever finds it held is told at once, without waiting', async () => {
  const directory = scratch()
  const lock = await acquire(directory)
  const impatient = { ...systemClock, sleep: () => Promise.reject(new Error('it waits')) }

  for (let i = 0; i < 20; i++) {
    await expect(acquireLock(directory, impatient, new AbortController().signal)).rejects.toMatchObject({
      code: 'locked',
    })
  }

  expect(readdirSync(directory)).toHaveLength(1)
  await lock.release()
})

test('whoever may look into the directory may ask who holds it', async () => {
  const directory = scratch()
  const umask = process.umask(0o077)
  const lock = await acquire(directory).finally(() => process.umask(umask))

  const [name = ''] = readdirSync(directory)

  expect(name).toMatch(/^\.\.lock\./)
  expect(statSync(join(directory, name)).mode & 0o777).toBe(0o666)
  await lock.release()
})

test('a killed process holds nothing, and what it left is swept up', async () => {
  const directory = scratch()
  const child = await holder(directory)
  await expect(acquire(directory)).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining(`pid ${child.pid} `),
  })

  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(readdirSync(directory)).toHaveLength(1)
  const lock = await acquire(directory)

  expect(readdirSync(directory)).toHaveLength(1)
  await lock.release()
  expect(readdirSync(directory)).toEqual([])
})

test('what a process left that was killed before it listened is swept up at once', async () => {
  const directory = scratch()
  const child = await holder(directory)
  const [name = ''] = readdirSync(directory)
  child.kill('SIGKILL')
  await once(child, 'exit')
  renameSync(join(directory, name), join(directory, `${name}.new`))

  const lock = await acquire(directory)

  expect(readdirSync(directory)).not.toContain(`${name}.new`)
  await lock.release()
  expect(readdirSync(directory)).toEqual([])
})

test('whoever has its socket removed before it listens makes another', async () => {
  const directory = scratch()
  const removed: string[] = []
  beforeRename.run = async path => {
    if (removed.length === 3) return
    await unlink(path)
    removed.push(path)
  }
  onTestFinished(() => {
    beforeRename.run = undefined
  })

  const lock = await acquire(directory)

  expect([new Set(removed).size, readdirSync(directory).length]).toEqual([3, 1])
  await expect(acquire(directory)).rejects.toMatchObject({ code: 'locked' })
  await lock.release()
  expect(readdirSync(directory)).toEqual([])
})

test('a process that is stopped still holds it', async () => {
  const directory = scratch()
  const child = await holder(directory)
  child.kill('SIGSTOP')

  await expect(acquire(directory)).rejects.toMatchObject({ code: 'locked' })
})

test.skipIf(process.getuid?.() !== 0)('a process in another pid namespace holds it as well (needs root)', async () => {
  const directory = scratch()
  const child = await holder(directory, ['unshare', '--pid', '--fork', '--kill-child'])

  await expect(acquire(directory)).rejects.toMatchObject({ code: 'locked', message: expect.stringContaining('pid 1 ') })

  child.kill('SIGKILL')
  await once(child, 'exit')
  await expect.poll(() => acquire(directory).then(lock => lock.release()), { timeout: 5_000 }).toBeUndefined()
})

test('a lock keeps no process alive', async () => {
  const child = spawn(process.execPath, [HOLDER, scratch()], { stdio: 'ignore' })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })

  expect(await once(child, 'exit')).toEqual([0, null])
})

test('works in a directory whose name is longer than that of a socket may be', async () => {
  const directory = join(scratch(), 'd'.repeat(200))
  mkdirSync(directory)

  const lock = await acquire(directory)

  await expect(acquire(directory)).rejects.toMatchObject({ code: 'locked' })
  await lock.release()
  expect(readdirSync(directory)).toEqual([])
})

test('something else under a name of a lock is not one', async () => {
  const directory = scratch()
  writeFileSync(join(directory, '..lock.0123456789abcdef'), '')

  const lock = await acquire(directory)

  expect(readdirSync(directory)).not.toContain('..lock.0123456789abcdef')
  await lock.release()
})

test('of many that want it at once, one at most has it, and in the end each', async () => {
  const directory = scratch()
  let holding = 0
  let most = 0
  let times = 0
  async function worker(): Promise<void> {
    for (let tries = 0; ; tries++) {
      if (tries > 2_000) throw new Error('it is never free')
      try {
        const lock = await acquire(directory)
        most = Math.max(most, ++holding)
        await new Promise(resolve => setImmediate(resolve))
        holding--
        times++
        await lock.release()
        return
      } catch (error) {
        if ((error as { code?: string }).code !== 'locked') throw error
        await new Promise(resolve => setImmediate(resolve))
      }
    }
  }

  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 6 }, worker))

  expect([most, times]).toEqual([1, 60])
  expect(readdirSync(directory)).toEqual([])
})

test('a directory that is not there is named', async () => {
  const directory = join(scratch(), 'missing')

  await expect(acquire(directory)).rejects.toMatchObject({
    code: 'missing',
    message: expect.stringContaining(directory),
  })
})

test('does not begin when it is told to stop', async () => {
  const directory = scratch()

  await expect(acquireLock(directory, systemClock, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  expect(readdirSync(directory)).toEqual([])
})
