import type { FileSystem } from '../../lib/base/filesystem.ts'
import { silentLog, type Log } from '../../lib/base/log.ts'
import type { Tree, Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Reading } from '../../lib/reading.ts'
import { openSealedState, type SealPolicy } from '../../lib/state/sealed-state.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'

export const DIRECTORY = '/state/sealed'
export const KEY = new Uint8Array(32).fill(7)

export const a: Dependency = { provider: 'one', kind: 'value', path: 'a', params: {} }

export function reading(value: Value | Tree, revision = 'r1'): Reading {
  return { value, revision, observedAtMs: 5, sensitive: true }
}

export interface Opening<Disk extends FileSystem> {
  readonly disk?: Disk
  readonly key?: Uint8Array
  readonly policy?: SealPolicy
  readonly identity?: string
}

/** The sealed state of one provider, and what it warned of. */
export async function open<Disk extends FileSystem = MemoryFileSystem>({
  disk = new MemoryFileSystem() as FileSystem as Disk,
  key = KEY,
  policy = 'all',
  identity = 'id',
}: Opening<Disk> = {}) {
  const clock = new FakeClock()
  const warned: string[] = []
  const log: Log = { ...silentLog, warn: message => warned.push(message) }
  const providers = new Map([['one', { seal: policy, identity }]])
  const state = await openSealedState({ directory: DIRECTORY, key, providers, fileSystem: disk, clock, log })
  return { state, disk, warned, clock }
}
