import type { FSWatcher } from 'chokidar'
import { basename } from 'node:path'

export interface DirectoryEvents {
  /** From here on no change is missed. */
  ready(): void
  /** What has this name changed; what has any, when it is undefined. */
  changed(name: string | undefined): void
  /** The name came, went, or is another thing's now. */
  renamed(name: string): void
  /** The directory itself went or moved: what is watched may no longer be what has its path. */
  gone(): void
  /** There may be no further events. */
  failed(error: unknown): void
}

/** Watches the names in one directory, nothing further down. Gives what ends it. */
export type WatchDirectory = (directory: string, events: DirectoryEvents) => Promise<() => Promise<void>>

/** When chokidar is loaded at the soonest: `once` has usually read and published everything by then, and is spared the time.
 *  Nothing is missed meanwhile, since what is watched is read again when that begins. */
const LOADED_AFTER_MS = 250

/** The home of chokidar, which is loaded by the first watch.
 *
 *  `depth: 0` keeps it to the directory, and everything in that is ignored, so chokidar keeps nothing of it and its scan is
 *  short: its `raw` events say which name changed. At that depth chokidar 6.0 often loses a directory that is removed and made
 *  again, or replaced; so an event about the directory itself ends the watching. (One about an entry of the same name looks
 *  alike, and costs no more than watching anew.) */
export const watchDirectory: WatchDirectory = async (directory, events) => {
  let ended = false
  let watcher: FSWatcher | undefined
  const start = async () => {
    const { watch } = await chokidar()
    if (!ended) watcher = begin(watch, directory, events)
  }
  start().catch((error: unknown) => events.failed(error))
  return async () => {
    ended = true
    await watcher?.close()
  }
}

let loaded: Promise<typeof import('chokidar')> | undefined

function chokidar(): Promise<typeof import('chokidar')> {
  return (loaded ??= new Promise(resolve => setTimeout(resolve, LOADED_AFTER_MS)).then(() => import('chokidar')))
}

function begin(watch: typeof import('chokidar').watch, directory: string, events: DirectoryEvents): FSWatcher {
  const own = basename(directory)
  const watcher = watch(directory, {
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    // Else it would see nothing of directories with the names of some editors' temporary files.
    atomic: false,
    ignored: path => path !== directory,
  })
  watcher.on('ready', () => events.ready())
  watcher.on('raw', (event, path) => {
    // The types promise a path, and the system sometimes has none.
    const name = typeof path === 'string' ? basename(path) : undefined
    if (name === own) events.gone()
    else if (name !== undefined && event === 'rename') events.renamed(name)
    else events.changed(name)
  })
  watcher.on('unlinkDir', () => events.gone())
  watcher.on('error', error => events.failed(error))
  return watcher
}
