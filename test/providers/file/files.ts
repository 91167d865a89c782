import { readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import type { Dependency } from '../../../lib/dependency.ts'
import type { ProviderHost } from '../../../lib/provider.ts'
import { absent, type Reading } from '../../../lib/reading.ts'
import { fileOptions } from '../../../providers/file/options.ts'
import { FileProvider } from '../../../providers/file/provider.ts'
import { fileQuestion, treeQuestion } from '../../../providers/file/questions.ts'
import type { WatchDirectory } from '../../../providers/file/watch-directory.ts'
import { eventually } from '../../support/eventually.ts'
import { providerHost } from '../../support/provider-host.ts'
import { ABSENT, Watching } from '../workbench.ts'

export interface FilesOptions {
  readonly sensitive?: boolean
  readonly poll?: string
  readonly host?: Partial<ProviderHost>
  readonly watchDirectory?: WatchDirectory
}

/** A file provider on a path, and what tests do with it; closed with the test. */
export class Files {
  readonly provider: FileProvider
  readonly logged: readonly string[]

  constructor(path: string, { host, watchDirectory, ...options }: FilesOptions = {}) {
    const made = providerHost('/', host)
    this.logged = made.logged
    this.provider = new FileProvider(v.parse(fileOptions, { path, ...options }), made.host, watchDirectory)
    onTestFinished(() => this.provider.close())
  }

  watchFile(path: string, { restart = false } = {}): Watching {
    return new Watching(this.provider, fileAt(path), restart)
  }

  watchTree(path: string, { restart = false } = {}): Watching {
    return new Watching(this.provider, treeAt(path), restart)
  }

  /** The first reading of a file, or what is thrown instead. */
  readFile(path: string): Promise<Reading> {
    return this.#readOnce(fileAt(path))
  }

  readTree(path: string): Promise<Reading> {
    return this.#readOnce(treeAt(path))
  }

  async #readOnce(dependency: Dependency): Promise<Reading> {
    const controller = new AbortController()
    for await (const reading of this.provider.watch(dependency, controller.signal)) return reading
    throw new Error('the watch ended without a reading')
  }
}

function fileAt(path: string): Dependency {
  return fileQuestion.ask('mine', [path])
}

function treeAt(path: string): Dependency {
  return treeQuestion.ask('mine', [path])
}

/** What a reading comes to: a text, a tree as an object of texts, or `ABSENT`. */
export function contentOf(reading: Reading): unknown {
  if (reading.value === absent) return ABSENT
  if (typeof reading.value === 'string') return reading.value
  const tree = treeQuestion.answer(reading, ['']) as { files: ReadonlyMap<string, { content: Uint8Array }> }
  return Object.fromEntries([...tree.files].map(([path, { content }]) => [path, Buffer.from(content).toString()]))
}

/** Waits until the newest reading is this. */
export function comesTo(watching: Watching, content: unknown): Promise<void> {
  return eventually(() => expect(contentOf(watching.latest)).toEqual(content))
}

/** Replaces a file as careful writers do. */
export function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}

/** Makes a link point elsewhere in one step. */
export function repoint(link: string, target: string): void {
  symlinkSync(target, `${link}.new`)
  renameSync(`${link}.new`, link)
}

/** How many directories this process has the kernel watch. */
export function inotifyWatches(): number {
  const listings = readdirSync('/proc/self/fdinfo').map(fd => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
    } catch {
      return ''
    }
  })
  return listings.join('\n').match(/^inotify /gm)?.length ?? 0
}
