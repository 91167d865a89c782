import { dirname, join } from 'node:path'
import type { Log } from '../../lib/base/log.ts'
import type { Mailbox } from '../../lib/base/mailbox.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Places } from './resolve.ts'
import type { DirectoryEvents, WatchDirectory } from './watch-directory.ts'

/** What a watch waits at. */
export type Bell = Mailbox<true>

/** How many directories are watched by events; each costs the kernel a watch, of which a user has so many. */
const WATCHED_MAX = 4_096

type Names = ReadonlySet<string> | 'all'

interface Watched {
  /** For each bell the names whose changes ring it. */
  readonly bells: Map<Bell, Names>
  ready: boolean
  /** Ends the watching, once; also when it has not begun. */
  readonly end: () => void
}

/** Rings the bells of those whose places changed. It says only that something may have changed; reading says what.
 *
 *  Each directory is watched once, whoever waits for names in it. An event rings all bells it concerns in the same turn. */
export class Hints {
  readonly #log: Log
  readonly #watchDirectory: WatchDirectory
  readonly #watched = new Map<string, Watched>()
  readonly #followed = new Map<Bell, ReadonlySet<string>>()
  readonly #running = new Set<Promise<void>>()
  #failed = false

  constructor(log: Log, watchDirectory: WatchDirectory) {
    this.#log = log
    this.#watchDirectory = watchDirectory
  }

  /** Whether the system refused to watch something: then there may be no hints, and looking often must do. */
  get failed(): boolean {
    return this.#failed
  }

  /** From now on these places, and no others, ring this bell. It rings for what is newly watched as soon as that is so, since
   *  the place may have changed after it was read. */
  follow(bell: Bell, { names: places }: Places): void {
    for (const directory of this.#followed.get(bell) ?? []) if (!places.has(directory)) this.#leave(directory, bell)
    this.#followed.set(bell, new Set(places.keys()))
    for (const [directory, names] of places) {
      const watched = this.#watched.get(directory) ?? this.#start(directory)
      if (watched === undefined) continue
      const isNew = !covers(watched.bells.get(bell), names)
      watched.bells.set(bell, names)
      if (isNew && watched.ready) bell.put(true)
    }
  }

  /** From now on nothing rings this bell. */
  forget(bell: Bell): void {
    for (const directory of this.#followed.get(bell) ?? []) this.#leave(directory, bell)
    this.#followed.delete(bell)
  }

  /** Ends all watching and waits until it has ended. */
  async close(): Promise<void> {
    for (const directory of this.#watched.keys()) this.#drop(directory)
    await Promise.all(this.#running)
  }

  #leave(directory: string, bell: Bell): void {
    const watched = this.#watched.get(directory)
    watched?.bells.delete(bell)
    if (watched?.bells.size === 0) this.#drop(directory)
  }

  #drop(directory: string): void {
    this.#watched.get(directory)?.end()
    this.#watched.delete(directory)
  }

  /** Whoever reads again follows again, and what then has these paths is watched anew. A directory further down did not move by
   *  itself, so nothing but this says that its path leads elsewhere. */
  #dropAllBelow(directory: string): void {
    for (const [path, watched] of this.#watched) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue
      ring(watched)
      this.#drop(path)
    }
  }

  #start(directory: string): Watched | undefined {
    // From the top down: what happens to a directory while its watching starts can be lost, but not by the one above. That one
    // rings when it is ready, and this one has its turn.
    if (this.#watched.get(dirname(directory))?.ready === false) return undefined
    if (this.#watched.size >= WATCHED_MAX) {
      this.#fail(`more than ${WATCHED_MAX} directories`)
      return undefined
    }
    const end = Promise.withResolvers<void>()
    const watched: Watched = { bells: new Map(), ready: false, end: end.resolve }
    this.#watched.set(directory, watched)
    const running = this.#watch(directory, watched, end.promise).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return watched
  }

  async #watch(directory: string, watched: Watched, end: Promise<void>): Promise<void> {
    const events: DirectoryEvents = {
      ready: () => {
        watched.ready = true
        ring(watched)
      },
      changed: name => ring(watched, name),
      renamed: name => {
        ring(watched, name)
        this.#dropAllBelow(join(directory, name))
      },
      gone: () => {
        ring(watched)
        if (this.#watched.get(directory) === watched) this.#dropAllBelow(directory)
      },
      failed: error => {
        this.#fail(messageOf(error))
        ring(watched)
      },
    }
    try {
      const close = await this.#watchDirectory(directory, events)
      await end
      await close()
    } catch (error) {
      events.failed(error)
    }
  }

  #fail(reason: string): void {
    if (!this.#failed) this.#log.warn('changes of files are looked for instead of awaited', { reason })
    this.#failed = true
  }
}

/** Rings those who wait for this name; all, when the event has none. */
function ring({ bells }: Watched, name?: string): void {
  for (const [bell, names] of bells) if (name === undefined || names === 'all' || names.has(name)) bell.put(true)
}

function covers(known: Names | undefined, names: Names): boolean {
  if (known === undefined) return false
  return known === 'all' || (names !== 'all' && names.isSubsetOf(known))
}
