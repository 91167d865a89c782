import { join } from 'node:path'
import { forEachConcurrent } from '../base/concurrent.ts'
import type { FileSystem } from '../base/filesystem.ts'
import { OperationalError, systemCode } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { alreadyVisible, Generations, numberOf } from './generations.ts'
import { checkPaths } from './paths.ts'
import { explaining, type Publisher, type PublisherHost } from './publisher.ts'

/** How many names are looked at at a time. */
const LOOKS_MAX = 8

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
  return explaining(new Volume(volume, host), volume)
}

class Volume implements Publisher {
  readonly #generations: Generations
  readonly #fileSystem: FileSystem
  readonly #path: string
  readonly #current: string
  readonly #next: string

  constructor(path: string, host: PublisherHost) {
    // Readers may have another user id; what a file's own mode says is what protects it.
    this.#generations = new Generations(path, '', 0o755, host)
    this.#fileSystem = host.fileSystem
    this.#path = path
    this.#current = join(path, '..data')
    this.#next = join(path, '..data.new')
  }

  /** 1. Create the volume's directory when there is none, and sync it: what is visible now stays so.
   *  2. Remove half-made and half-removed generations, and a left-over `..data.new`.
   *  3. Remove generations above the visible one: staged, maybe intended, but never flipped to; nobody has seen them.
   *  4. Take up a publish that crashed after its flip: make and remove links to match. */
  async prepare(): Promise<void> {
    await this.#generations.prepare() // (1, 2)
    await this.#fileSystem.remove(this.#next)
    const number = await this.visible()
    if (number === undefined) return
    for (const staged of await this.#generations.list()) {
      if (staged > number) await this.#generations.remove(staged) // (3)
    }
    const names = await this.#generations.names(number)
    await this.#refuseForeign(names)
    await this.#matchLinks(names) // (4)
  }

  async visible(): Promise<number | undefined> {
    const number = await this.#target()
    return number !== undefined && (await this.#generations.has(number)) ? number : undefined
  }

  /** Where `..data` points, whether that exists or not. */
  async #target(): Promise<number | undefined> {
    return numberOf((await this.#linkAt(this.#current)) ?? '')
  }

  async stage(number: number, files: readonly OutputFile[]): Promise<string> {
    checkPaths(files, '')
    const target = await this.#refuseForeign(new Set(files.map(file => file.path.split('/')[0] as string)))
    if (target === number) throw alreadyVisible(number, this.#path)
    return this.#generations.write(number, files)
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
  async publish(number: number): Promise<void> {
    const names = await this.#generations.names(number) // (1)
    const before = await this.#refuseForeign(names)
    if (before !== number) {
      if (before !== undefined) await this.#generations.markReplaced(before) // (2)
      await this.#linkNext(number) // (3)
      await this.#fileSystem.rename(this.#next, this.#current) // (4)
    }
    await this.#fileSystem.syncDirectory(this.#path) // (5)
    await this.#matchLinks(names) // (6, 7, 8)
  }

  async #linkNext(number: number): Promise<void> {
    const link = () => this.#fileSystem.link(`..g${number}`, this.#next)
    await link().catch(async (error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
      await this.#fileSystem.remove(this.#next)
      await link()
    })
  }

  async discard(number: number): Promise<void> {
    if ((await this.#target()) === number) throw alreadyVisible(number, this.#path)
    await this.#generations.remove(number)
  }

  async resume(number: number): Promise<void> {
    if ((await this.#target()) === number) await this.publish(number)
    else await this.#generations.remove(number)
  }

  async heal(number: number, paths: ReadonlySet<string>): Promise<boolean> {
    if (!(await this.#generations.hasExactly(number, paths))) return false
    await this.#matchLinks(await this.#generations.names(number))
    return true
  }

  async collect(keep: number, also: readonly number[]): Promise<void> {
    const number = await this.visible()
    if (number !== undefined) await this.#generations.collect(keep, also, number)
  }

  generations(): Promise<readonly number[]> {
    return this.#generations.list()
  }

  read(number: number): Promise<readonly OutputFile[]> {
    return this.#generations.read(number)
  }

  directory(number: number): string {
    return this.#generations.directory(number)
  }

  async #matchLinks(wanted: readonly string[]): Promise<void> {
    let changed = false
    for (const name of wanted) {
      if ((await this.#fileSystem.stat(join(this.#path, name))) !== undefined) continue
      await this.#fileSystem.link(`..data/${name}`, join(this.#path, name)) // (6)
      changed = true
    }
    for (const name of await this.#fileSystem.list(this.#path)) {
      if (name.startsWith('..') || wanted.includes(name) || !(await this.#isOurs(name))) continue
      await this.#fileSystem.remove(join(this.#path, name)) // (7)
      changed = true
    }
    if (changed) await this.#fileSystem.syncDirectory(this.#path) // (8)
  }

  /** Whether a top-level name is a link that we made. */
  async #isOurs(name: string): Promise<boolean> {
    return (await this.#linkAt(join(this.#path, name))) === `..data/${name}`
  }

  /** Where a link points: '' for what is no link, undefined for nothing. One call, since each costs as much as any other. */
  async #linkAt(path: string): Promise<string | undefined> {
    try {
      return await this.#fileSystem.readLink(path)
    } catch (error) {
      if (systemCode(error) === 'EINVAL') return ''
      throw error
    }
  }

  /** Throws when something that is not ours lies where a link of ours must be. It is never removed: we did not make it. Gives
   *  where `..data` points, whether that exists or not. */
  async #refuseForeign(names: Iterable<string>): Promise<number | undefined> {
    const [target] = await Promise.all([
      this.#demandOurs(),
      forEachConcurrent(names, LOOKS_MAX, async name => {
        const path = join(this.#path, name)
        const link = await this.#linkAt(path)
        if (link !== undefined && link !== `..data/${name}`) await this.#refuse(path)
      }),
    ])
    return target
  }

  /** Where `..data` points. Throws when it is not a link of ours. */
  async #demandOurs(): Promise<number | undefined> {
    const data = await this.#linkAt(this.#current)
    const target = numberOf(data ?? '')
    if (data !== undefined && target === undefined) await this.#refuse(this.#current)
    return target
  }

  async #refuse(path: string): Promise<never> {
    throw inTheWay(path, (await this.#fileSystem.stat(path))?.kind ?? 'other')
  }
}

function inTheWay(path: string, kind: string): OperationalError {
  const what = kind === 'link' ? 'a link that outrigger did not make' : kind === 'other' ? 'something' : `a ${kind}`
  return new OperationalError('in-the-way', `${path}: ${what} lies where outrigger's link must be`, {
    hint: `move ${path} away, or give the output another path`,
  })
}
