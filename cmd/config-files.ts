import { hash } from 'node:crypto'
import { systemCode } from '../lib/errors.ts'
import type { World } from './world.ts'

/** How often the files are looked at: a change may be seconds old, and a look costs a read of each. */
const LOOK_MS = 5_000
/** A look takes at most this part of the time, be the files many or slow. */
const LOOK_PART = 0.01
/** What is being written is left alone until it has looked the same for so long. */
const QUIET_MS = 500

/** The files that a configuration is made of, itself and its templates, as they were when it was loaded.
 *
 *  They are looked at now and then, not watched by events: so it is the same on every file system, for an editor that replaces a file, and
 *  for links that are turned, as those of a mounted ConfigMap are. */
export class ConfigFiles {
  readonly #world: World
  /** By path, how it looked. */
  #looks = new Map<string, string>()

  constructor(world: World) {
    this.#world = world
  }

  /** The world to load a configuration in: what is read there is looked at from then on, and nothing else. */
  reading(): World {
    const looks = new Map<string, string>()
    this.#looks = looks
    const readFile = async (path: string) => {
      const content = this.#world.readFile(path)
      const look = await lookOf(content)
      // Of two reads the first: what has changed since is seen by the next look.
      if (!looks.has(path)) looks.set(path, look)
      return await content
    }
    return { ...this.#world, readFile }
  }

  /** Calls back with the paths of what has changed, once for each change. Rejects with the signal's reason when it aborts. */
  async watch(changed: (paths: readonly string[]) => void, signal: AbortSignal): Promise<never> {
    const { clock } = this.#world
    let waitMs = LOOK_MS
    /** What was seen that has not lasted yet. */
    let seen: string | undefined
    for (;;) {
      await clock.sleep(seen === undefined ? waitMs : QUIET_MS, signal)
      const looks = this.#looks
      const startMs = clock.monotonicMs()
      const now = await this.#look([...looks.keys()])
      waitMs = Math.max(LOOK_MS, (clock.monotonicMs() - startMs) / LOOK_PART)
      const before = seen
      seen = undefined
      const paths = [...now.keys()].filter(path => now.get(path) !== looks.get(path))
      // Loaded anew meanwhile, or as it was.
      if (looks !== this.#looks || paths.length === 0) continue
      seen = JSON.stringify([...now])
      if (seen !== before) continue
      seen = undefined
      for (const [path, look] of now) looks.set(path, look)
      changed(paths)
    }
  }

  async #look(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const looks = new Map<string, string>()
    // One after the other: nobody waits for it, and many at once would hold up what somebody waits for.
    for (const path of paths) looks.set(path, await lookOf(this.#world.readFile(path)))
    return looks
  }
}

/** What a file has in it, or why it cannot be read, as a short text. */
function lookOf(content: Promise<Uint8Array>): Promise<string> {
  return content.then(
    bytes => hash('sha256', bytes),
    (error: unknown) => systemCode(error) ?? 'unreadable',
  )
}
