import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { disk } from '../../lib/base/disk.ts'
import { toBytes } from '../../lib/base/text.ts'
import { Claims, claiming } from '../../lib/publish/claims.ts'
import { filesPublisher } from '../../lib/publish/files.ts'
import { scratch } from '../support/scratch.ts'

/** Two bundles that publish below one directory. */
async function bundles() {
  const root = scratch()
  const claims = new Claims()
  const at = (name: string) => join(root, 'etc', name)
  const open = async (name: string, shared = claims) => {
    const home = join(root, name)
    mkdirSync(home, { recursive: true })
    const host = { fileSystem: disk, clock: systemClock, keepAgeMs: 0 }
    const publisher = claiming(filesPublisher(home, host), name, shared)
    await publisher.prepare()
    let number = (await publisher.generations()).at(-1) ?? 0
    return {
      publish: async (...names: readonly string[]) => {
        await publisher.stage(
          number + 1,
          names.map(each => ({ path: at(each), content: toBytes(name), mode: 0o600 })),
        )
        await publisher.publish(++number)
      },
    }
  }
  return { open, shown: (name: string) => readFileSync(at(name), 'utf8') }
}

test('a path of another bundle is refused, with both names, and stays as it is', async () => {
  const { open, shown } = await bundles()
  const [one, other] = [await open('one'), await open('other')]
  await one.publish('a', 'b')

  await expect(other.publish('b', 'c')).rejects.toThrow(
    /etc\/b: is an output of the bundle "one", and would be one of "other"/,
  )
  expect(shown('b')).toBe('one')
})

test('a path that moves is taken when the other bundle has published without it, and is not removed then', async () => {
  const { open, shown } = await bundles()
  const [one, other] = [await open('one'), await open('other')]
  await one.publish('a', 'b')
  await expect(other.publish('b')).rejects.toThrow('of the bundle "one"')
  await one.publish('a')
  await other.publish('b')
  await one.publish('a', 'c')

  expect([shown('a'), shown('b'), shown('c')]).toEqual(['one', 'other', 'one'])
})

test('a path is still that of its bundle after a restart', async () => {
  const { open } = await bundles()
  await (await open('one')).publish('a')
  const claims = new Claims()
  const [one, other] = [await open('one', claims), await open('other', claims)]

  await expect(other.publish('a')).rejects.toThrow('of the bundle "one"')
  await one.publish('b')
  await other.publish('a')
})
