import { join } from 'node:path'
import type { FileSystem } from '../base/filesystem.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { alreadyVisible, Generations, numberOf } from './generations.ts'
import { checkPaths } from './paths.ts'
import { explaining, type Publisher, type PublisherHost } from './publisher.ts'

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
    await this.#refuseForeign(await this.#fileSystem.list(this.#generations.directory(number)))
    await this.#matchLinks(number) // (4)
  }

  async visible(): Promise<number | undefined> {
    const number = await this.#target()
    return number !== undefined && (await this.#generations.has(number)) ? number : undefined
  }

  /** Where `..data` points, whether that exists or not. */
  async #target(): Promise<number | undefined> {
    if ((await this.#fileSystem.stat(this.#current))?.kind !== 'link') return undefined
    return numberOf((await this.#fileSystem.readLink(this.#current)) ?? '')
  }

  async stage(number: number, files: readonly OutputFile[]): Promise<string> {
    checkPaths(files, '')
    await this.#refuseVisible(number)
    await this.#refuseForeign(new Set(files.map(file => file.path.split('/')[0] as string)))
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
    await this.#generations.demand(number) // (1)
    await this.#refuseForeign(await this.#fileSystem.list(this.#generations.directory(number)))
    const before = await this.#target()
    if (before !== number) {
      if (before !== undefined && (await this.#generations.has(before))) await this.#generations.markReplaced(before) // (2)
      await this.#fileSystem.remove(this.#next) // (3)
      await this.#fileSystem.link(`..g${number}`, this.#next)
      await this.#fileSystem.rename(this.#next, this.#current) // (4)
    }
    await this.#fileSystem.syncDirectory(this.#path) // (5)
    await this.#matchLinks(number) // (6, 7, 8)
  }

  async discard(number: number): Promise<void> {
    await this.#refuseVisible(number)
    await this.#generations.remove(number)
  }

  async resume(number: number): Promise<void> {
    if ((await this.#target()) === number) await this.publish(number)
    else await this.#generations.remove(number)
  }

  async heal(number: number, paths: ReadonlySet<string>): Promise<boolean> {
    if (!(await this.#generations.hasExactly(number, paths))) return false
    await this.#matchLinks(number)
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

  async #matchLinks(number: number): Promise<void> {
    const wanted = await this.#fileSystem.list(this.#generations.directory(number))
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
    const path = join(this.#path, name)
    if ((await this.#fileSystem.stat(path))?.kind !== 'link') return false
    return (await this.#fileSystem.readLink(path)) === `..data/${name}`
  }

  /** Throws when something that is not ours lies where a link of ours must be. It is never removed: we did not make it. */
  async #refuseForeign(names: Iterable<string>): Promise<void> {
    const data = await this.#fileSystem.stat(this.#current)
    if (data !== undefined && (await this.#target()) === undefined) throw inTheWay(this.#current, data.kind)
    for (const name of names) {
      const status = await this.#fileSystem.stat(join(this.#path, name))
      if (status !== undefined && !(await this.#isOurs(name))) throw inTheWay(join(this.#path, name), status.kind)
    }
  }

  async #refuseVisible(number: number): Promise<void> {
    if ((await this.#target()) === number) throw alreadyVisible(number, this.#path)
  }
}

function inTheWay(path: string, kind: string): OperationalError {
  const what = kind === 'link' ? 'a link that outrigger did not make' : kind === 'other' ? 'something' : `a ${kind}`
  return new OperationalError('in-the-way', `${path}: ${what} lies where outrigger's link must be`, {
    hint: `move ${path} away, or give the output another path`,
  })
}
