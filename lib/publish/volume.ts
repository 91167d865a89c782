import { join } from 'node:path'
import { explained } from '../base/disk-error.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { Generations, numberOf } from './generations.ts'
import { checkPaths } from './paths.ts'
import type { Publisher, PublisherHost } from './publisher.ts'

/** Publishes on a volume, in the shape of Kubernetes' projected volumes:
 *
 *      app.conf      -> ..data/app.conf    what the application opens; such a link is never changed once made
 *      tls           -> ..data/tls
 *      ..data        -> ..g42              the one link that flips: its rename is the commit point
 *      ..data.new                          the next `..data`, between two steps
 *      ..g42/  ..g41/                      generations, as in `Generations`
 *
 *  Names that start with `..` are ours; all others are somebody's, unless they are links to `..data/` and their own name.
 *  All links are relative, so the volume can be mounted anywhere. */
export function volumePublisher(volume: string, host: PublisherHost): Publisher {
  const { fileSystem } = host
  // Readers may have another user id; what a file's own mode says is what protects it.
  const generations = new Generations(volume, '', 0o755, host)
  const current = join(volume, '..data')
  const next = join(volume, '..data.new')

  /** 1. Create the volume's directory when there is none.
   *  2. Remove half-made and half-removed generations, and a left-over `..data.new`.
   *  3. Remove generations above the visible one: staged, maybe intended, but never flipped to; nobody has seen them.
   *  4. Take up a publish that crashed after its flip: make and remove links to match. */
  async function prepare(): Promise<void> {
    await generations.prepare() // (1, 2)
    await fileSystem.remove(next)
    const number = await visible()
    if (number === undefined) return
    for (const staged of await generations.list()) {
      if (staged > number) await generations.remove(staged) // (3)
    }
    await refuseForeign(await fileSystem.list(generations.directory(number)))
    await matchLinks(number) // (4)
  }

  async function visible(): Promise<number | undefined> {
    const number = await target()
    return number !== undefined && (await generations.has(number)) ? number : undefined
  }

  /** Where `..data` points, whether that exists or not. */
  async function target(): Promise<number | undefined> {
    if ((await fileSystem.stat(current))?.kind !== 'link') return undefined
    return numberOf((await fileSystem.readLink(current)) ?? '')
  }

  async function stage(number: number, files: readonly OutputFile[]): Promise<string> {
    checkPaths(files, '')
    await refuseVisible(number)
    await refuseForeign(new Set(files.map(file => file.path.split('/')[0] as string)))
    return generations.write(number, files)
  }

  /** 1. Look: the generation is there and nothing foreign is in the way; else nothing changes.
   *  2. Note the time on the generation that is about to be replaced.
   *  3. Make the link `..data.new`. A crash leaves it; it is removed before the next one is made, and by `prepare`.
   *  4. Rename it to `..data`: the flip. Before it all readers get the old generation, from it on the new one.
   *  5. Sync the directory: the flip survives a power cut.
   *  6. Make the links that new top-level names need. They come after the flip, so that no watcher sees one that leads
   *     nowhere. A crash here is taken up by `prepare`, or by publishing again.
   *  7. Remove the links of top-level names that have vanished.
   *  8. Sync the directory again, when there were any. */
  async function publish(number: number): Promise<void> {
    await generations.demand(number) // (1)
    await refuseForeign(await fileSystem.list(generations.directory(number)))
    const before = await target()
    if (before !== number) {
      if (before !== undefined && (await generations.has(before))) await generations.markReplaced(before) // (2)
      await fileSystem.remove(next) // (3)
      await fileSystem.link(`..g${number}`, next)
      await fileSystem.rename(next, current) // (4)
    }
    await fileSystem.syncDirectory(volume) // (5)
    await matchLinks(number) // (6, 7, 8)
  }

  async function matchLinks(number: number): Promise<void> {
    const wanted = await fileSystem.list(generations.directory(number))
    let changed = false
    for (const name of wanted) {
      if ((await fileSystem.stat(join(volume, name))) !== undefined) continue
      await fileSystem.link(`..data/${name}`, join(volume, name)) // (6)
      changed = true
    }
    for (const name of await fileSystem.list(volume)) {
      if (name.startsWith('..') || wanted.includes(name) || !(await isOurs(name))) continue
      await fileSystem.remove(join(volume, name)) // (7)
      changed = true
    }
    if (changed) await fileSystem.syncDirectory(volume) // (8)
  }

  /** Whether a top-level name is a link that we made. */
  async function isOurs(name: string): Promise<boolean> {
    const path = join(volume, name)
    if ((await fileSystem.stat(path))?.kind !== 'link') return false
    return (await fileSystem.readLink(path)) === `..data/${name}`
  }

  /** Throws when something that is not ours lies where a link of ours must be. It is never removed: we did not make it. */
  async function refuseForeign(names: Iterable<string>): Promise<void> {
    const data = await fileSystem.stat(current)
    if (data !== undefined && (await target()) === undefined) throw inTheWay(current, data.kind)
    for (const name of names) {
      const status = await fileSystem.stat(join(volume, name))
      if (status !== undefined && !(await isOurs(name))) throw inTheWay(join(volume, name), status.kind)
    }
  }

  async function refuseVisible(number: number): Promise<void> {
    if ((await target()) !== number) return
    throw new OperationalError(
      'in-the-way',
      `generation ${number} in ${volume} is visible, so it cannot be staged again`,
      {
        hint: 'two outriggers may write to one volume; give each bundle its own',
      },
    )
  }

  async function discard(number: number): Promise<void> {
    await refuseVisible(number)
    await generations.remove(number)
  }

  const where = (doing: string) => `${doing} in ${volume}`
  return {
    prepare: () => explained(`prepare ${volume}`, prepare),
    visible: () => explained(`look at ${volume}`, visible),
    generations: () => explained(`look at ${volume}`, () => generations.list()),
    stage: (number, files) => explained(where(`stage generation ${number}`), () => stage(number, files)),
    publish: number => explained(where(`publish generation ${number}`), () => publish(number)),
    resume: number =>
      explained(where(`take up generation ${number}`), async () =>
        (await target()) === number ? publish(number) : generations.remove(number),
      ),
    discard: number => explained(where(`discard generation ${number}`), () => discard(number)),
    read: number => explained(where(`read generation ${number}`), () => generations.read(number)),
    collect: (keep, also) =>
      explained(where('remove old generations'), async () => {
        const number = await visible()
        if (number !== undefined) await generations.collect(keep, also, number)
      }),
    directory: number => generations.directory(number),
  }
}

function inTheWay(path: string, kind: string): OperationalError {
  const what = kind === 'link' ? 'a link that outrigger did not make' : kind === 'other' ? 'something' : `a ${kind}`
  return new OperationalError('in-the-way', `${path}: ${what} lies where outrigger's link must be`, {
    hint: `move ${path} away, or give the output another path`,
  })
}
