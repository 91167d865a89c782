import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratch } from '../../support/scratch.ts'
import { ABSENT, type Watching } from '../workbench.ts'
import { comesTo, Files, replaceFile, repoint } from './files.ts'

const ROUNDS = 300
const NAMES = ['a', 'sub/b', 'sub/deep/c', 'linked/d']

test(
  `${ROUNDS} random interleavings of every kind of change end in the right state`,
  { timeout: 180_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const random = seeded(seed)
    const directory = scratch()
    const current = join(directory, 'current')
    repoint(current, 'r0')
    const steps = changes(directory, current, random)
    const files = new Files(current)
    const watchings = new Map(NAMES.map(name => [name, files.watchFile(name)]))
    const tree = files.watchTree('', { restart: true })
    for (let round = 0; round < ROUNDS; round++) {
      const done: string[] = []
      for (let i = Math.floor(random() * 8); i >= 0; i--) {
        const [name, step] = steps[Math.floor(random() * steps.length)] as (typeof steps)[number]
        done.push(name)
        step(`${round}.${i}`)
        for (let turns = Math.floor(random() * 6); turns > 0; turns--)
          await new Promise(resolve => setImmediate(resolve))
      }
      await expectState(current, watchings, tree).catch((error: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${done.join(', ')}`, { cause: error })
      })
    }
    expect([...watchings.values()].flatMap(watching => watching.ends)).toEqual([])
  },
)

async function expectState(current: string, watchings: ReadonlyMap<string, Watching>, tree: Watching): Promise<void> {
  const texts = new Map(NAMES.map(name => [name, contentAt(join(current, name))]))
  for (const [name, watching] of watchings) await comesTo(watching, texts.get(name))
  const present = [...texts].filter(([, text]) => text !== ABSENT).toSorted(([a], [b]) => (a < b ? -1 : 1))
  await comesTo(tree, existsSync(current) ? Object.fromEntries(present) : ABSENT)
}

function contentAt(path: string): unknown {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ABSENT
  }
}

/** The kinds of change, by name; each gets a text that was never written before. */
function changes(
  directory: string,
  current: string,
  random: () => number,
): readonly [string, (text: string) => void][] {
  const pick = () => NAMES[Math.floor(random() * 3)] as string
  const ready = (path: string) => {
    if (!existsSync(current)) makeRelease(directory, 'r0')
    mkdirSync(join(path, '..'), { recursive: true })
    return path
  }
  const at = (name: string) => ready(join(current, name))
  let versions = 0
  return [
    ['write', text => writeFileSync(at(pick()), text)],
    ['replace', text => replaceFile(at(pick()), text)],
    ['remove', () => rmSync(at(pick()), { force: true })],
    ['remove deep', () => rmSync(at('sub/deep'), { recursive: true, force: true })],
    ['remove sub', () => rmSync(at('sub'), { recursive: true, force: true })],
    [
      'swap sub',
      text => {
        mkdirSync(at('other/deep'), { recursive: true })
        writeFileSync(at('other/deep/c'), text)
        rmSync(at('sub'), { recursive: true, force: true })
        renameSync(at('other'), at('sub'))
      },
    ],
    [
      'flip ..data',
      text => {
        const version = `..v${++versions}`
        mkdirSync(at(version))
        writeFileSync(at(`${version}/d`), text)
        repoint(at('..data'), version)
        if (!existsSync(at('linked'))) {
          rmSync(at('linked'), { force: true })
          repoint(at('linked'), '..data')
        }
        for (let old = 1; old < versions; old++) rmSync(at(`..v${old}`), { recursive: true, force: true })
      },
    ],
    ['re-point the root', () => repoint(current, makeRelease(directory, `r${Math.floor(random() * 3)}`))],
    ['lose the root', () => unlinkIfThere(current)],
    [
      'lose a release',
      () => {
        rmSync(join(directory, `r${Math.floor(random() * 3)}`), { recursive: true, force: true })
        repoint(current, makeRelease(directory, 'r1'))
      },
    ],
  ]
}

function makeRelease(directory: string, name: string): string {
  mkdirSync(join(directory, name), { recursive: true })
  if (!existsSync(join(directory, 'current'))) repoint(join(directory, 'current'), name)
  return name
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already.
  }
}

/** mulberry32: small, and the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
