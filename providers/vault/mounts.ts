import type { Clock } from '../../lib/base/clock.ts'
import type { Value } from '../../lib/base/value.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Client } from './client.ts'
import { mapOf, textOf } from './secret.ts'

/** Where an engine is mounted, and whether it is KV v2. */
export interface Mount {
  /** Without a slash at its end. */
  readonly path: string
  readonly isVersioned: boolean
  /** Whether it may make something for each who reads, as engines for databases do: a KV engine does not. */
  readonly mayMake: boolean
}

/** How long an answer about a mount is believed: an engine can be upgraded, or replaced by another one. */
const BELIEVED_MS = 60_000
const MOUNTS_MAX = 1_000
/** What every server has, where it is. */
const SYSTEM: ReadonlySet<string> = new Set(['sys', 'auth', 'cubbyhole', 'identity'])

/** Knows which engine a path belongs to: by the configuration, else by asking the server. Only answers are remembered, never that
 *  there was none; and they are forgotten after a while, and when a reading says that they are wrong. */
export class Mounts {
  readonly #client: Client
  readonly #clock: Clock
  readonly #configured: readonly Mount[]
  /** By namespace and path. Mounts do not nest. */
  readonly #known = new Map<string, { readonly mount: Mount; readonly sinceMs: number }>()
  /** The questions under way, by namespace and first part of the path: one for all that start with it. */
  readonly #asking = new Map<string, Promise<unknown>>()

  constructor(client: Client, configured: Readonly<Record<string, 1 | 2>>, clock: Clock) {
    this.#client = client
    this.#clock = clock
    this.#configured = Object.entries(configured)
      .map(([path, version]) => ({ path: path.replace(/\/$/, ''), isVersioned: version === 2, mayMake: false }))
      .toSorted((a, b) => b.path.length - a.path.length)
  }

  /** The mount that a path is in, or undefined when nothing is mounted there. Rejects with a ProviderError when that cannot be known.
   *  @param what is asked for, for people */
  async find(what: string, path: string, namespace: string, signal: AbortSignal): Promise<Mount | undefined> {
    const [first = ''] = path.split('/', 1)
    if (SYSTEM.has(first)) return { path: first, isVersioned: false, mayMake: false }
    const configured = this.#configured.find(mount => isBelow(path, mount.path))
    if (configured !== undefined) return configured
    const group = JSON.stringify([namespace, first])
    for (;;) {
      const known = this.#recall(path, namespace)
      if (known !== undefined) return known
      const asking = this.#asking.get(group)
      if (asking === undefined) break
      await asking.catch(() => {})
      signal.throwIfAborted()
    }
    const asking = this.#ask(what, path, namespace, signal).finally(() => this.#asking.delete(group))
    this.#asking.set(group, asking)
    return await asking
  }

  forget(mount: Mount, namespace: string): void {
    this.#known.delete(JSON.stringify([namespace, mount.path]))
  }

  #recall(path: string, namespace: string): Mount | undefined {
    const nowMs = this.#clock.monotonicMs()
    const parts = path.split('/')
    for (let count = parts.length; count > 0; count--) {
      const known = this.#known.get(JSON.stringify([namespace, parts.slice(0, count).join('/')]))
      if (known !== undefined && nowMs - known.sinceMs < BELIEVED_MS) return known.mount
    }
    return undefined
  }

  async #ask(what: string, path: string, namespace: string, signal: AbortSignal): Promise<Mount | undefined> {
    const ask = { operation: 'read', path: `sys/internal/ui/mounts/${path}`, namespace } as const
    const answer = await this.#client.ask(what, ask, signal).catch(error => {
      throw error instanceof ProviderError && error.code === 'forbidden' ? refused(what, error) : error
    })
    const mount = answer.status === 200 ? mountIn(answer.body, path) : undefined
    if (mount === undefined) return undefined
    if (this.#known.size >= MOUNTS_MAX) this.#known.clear()
    this.#known.set(JSON.stringify([namespace, mount.path]), { mount, sinceMs: this.#clock.monotonicMs() })
    return mount
  }
}

function isBelow(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`)
}

/** In a namespace that stands before the path, the server says where the mount is from the root of ours or of its own. */
function mountIn(body: Value | undefined, path: string): Mount | undefined {
  const data = mapOf(mapOf(body)?.get('data'))
  const said = textOf(data, 'path').replace(/\/$/, '')
  const type = textOf(data, 'type')
  if (said === '' || type === '') return undefined
  const isVersioned = type === 'kv' && textOf(mapOf(data?.get('options')), 'version') === '2'
  const mayMake = type !== 'kv'
  for (let mount = said; ; mount = mount.slice(mount.indexOf('/') + 1)) {
    if (isBelow(path, mount)) return { path: mount, isVersioned, mayMake }
    if (!mount.includes('/')) return { path: path.split('/', 1)[0] ?? path, isVersioned, mayMake }
  }
}

/** The server tells of a mount only to those who may do something in it. */
function refused(what: string, cause: ProviderError): ProviderError {
  return new ProviderError('forbidden', `${what}: the token may do nothing there, or nothing is mounted there`, {
    cause,
    hint: 'give its policies the right to read the path; in KV v2 that is MOUNT/data/PATH, and MOUNT/metadata/PATH to see changes cheaply',
  })
}
