import { expect, test } from 'vitest'
import { ConfigFiles } from '../../cmd/config-files.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { testWorld } from './world.ts'

/** Files that have been read once, and what was told of their changes since. */
async function watched(paths: readonly string[]) {
  const clock = new FakeClock()
  const texts = new Map(paths.map(path => [path, `first ${path}`]))
  const readFile = async (path: string) => {
    const text = texts.get(path)
    if (text === undefined) throw Object.assign(new Error('it is not there'), { code: 'ENOENT' })
    return Buffer.from(text)
  }
  const files = new ConfigFiles(testWorld({ clock, readFile }).world)
  const load = async () => {
    const world = files.reading()
    for (const path of paths) await world.readFile(path).catch(() => {})
  }
  await load()
  const told: (readonly string[])[] = []
  const over = new AbortController()
  const watching = files.watch(changed => void told.push(changed), over.signal).catch((error: unknown) => error)
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) await clock.advance(1_000)
  }
  return { clock, texts, load, told, over, watching, pass, files }
}

test('a change is told once, by the path of the file', async () => {
  const { texts, told, pass } = await watched(['config', 'template'])
  await pass(60)
  expect(told).toEqual([])
  texts.set('template', 'second')
  await pass(6)
  expect(told).toEqual([['template']])
  await pass(60)
  expect(told).toEqual([['template']])
  texts.set('config', 'second')
  texts.set('template', 'third')
  await pass(6)
  expect(told[1]).toEqual(['config', 'template'])
})

test('what is being written, or is as it was again, is not told', async () => {
  const { clock, texts, told, pass } = await watched(['config'])
  texts.set('config', '')
  for (let i = 0; i < 80; i++) {
    texts.set('config', `part ${i}`)
    await clock.advance(250)
  }
  expect(told).toEqual([])
  texts.set('config', 'first config')
  await pass(10)
  expect(told).toEqual([])
})

test('a file that goes and comes back is told of', async () => {
  const { texts, told, pass } = await watched(['config'])
  texts.delete('config')
  await pass(6)
  expect(told).toEqual([['config']])
  texts.set('config', 'back')
  await pass(6)
  expect(told).toHaveLength(2)
})

test('what was loaded anew is what later looks are compared with', async () => {
  const { texts, told, pass, load, files } = await watched(['config', 'template'])
  texts.set('config', 'second')
  await load()
  await pass(10)
  expect(told).toEqual([])
  // A configuration that names it no more.
  await files.reading().readFile('config')
  texts.set('template', 'second')
  await pass(10)
  expect(told).toEqual([])
})

test('it ends with its signal', async () => {
  const { over, watching } = await watched(['config'])
  over.abort(new Error('over'))
  expect(await watching).toBe(over.signal.reason)
})
