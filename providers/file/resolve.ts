import type { BigIntStats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ProviderError } from '../../lib/errors.ts'
import { isMissing } from './failure.ts'

/** As Linux follows at most. */
const LINKS_FOLLOWED_MAX = 40

/** The directories on which what was read depends, each with the names in it that matter. */
export class Places {
  readonly names = new Map<string, Set<string> | 'all'>()

  add(directory: string, name: string): void {
    const names = this.names.get(directory)
    if (names === undefined) this.names.set(directory, new Set([name]))
    else if (names !== 'all') names.add(name)
  }

  addAll(directory: string): void {
    this.names.set(directory, 'all')
  }
}

/** Something that is there: its path without links, and what it is. */
export interface Found {
  readonly path: string
  readonly status: BigIntStats
}

export interface ResolveOptions {
  /** A directory whose path has no links in it; where the walk starts. */
  readonly from: string
  /** Is below it; may lead through links. */
  readonly path: string
  readonly places: Places
  /** Where what is found must be; a link may lead out and in again. Every step inside is a place. */
  readonly within?: string
}

/** Follows a path name by name, as the kernel would, noting each place on the way at which it could come to lead elsewhere:
 *  where a link lies, and where a name is missing. Gives undefined when there is nothing at the end.
 *  Throws the system's errors, and a ProviderError when the end is not `within`. */
export async function resolvePath({ from, path, places, within }: ResolveOptions): Promise<Found | undefined> {
  const names = path.split('/')
  let at = from
  let status: BigIntStats | undefined
  let followed = 0
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      at = dirname(at)
      status = undefined
      continue
    }
    const next = join(at, name)
    const here = await statusAt(next)
    const isLink = here?.isSymbolicLink() === true
    if (here === undefined || isLink || (within !== undefined && isInside(within, at))) places.add(at, name)
    if (here === undefined) return undefined
    if (isLink) {
      if (++followed > LINKS_FOLLOWED_MAX) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
      const target = await readlink(next)
      if (target.startsWith('/')) at = '/'
      status = undefined
      names.unshift(...target.split('/'))
      continue
    }
    if (!here.isDirectory() && names.some(rest => rest !== '' && rest !== '.')) {
      places.add(at, name)
      return undefined
    }
    at = next
    status = here
  }
  if (within !== undefined && !isInside(within, at)) throw outside(join(from, path), within)
  status ??= await statusAt(at)
  return status === undefined ? undefined : { path: at, status }
}

async function statusAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isInside(directory: string, path: string): boolean {
  return path === directory || directory === '/' || path.startsWith(`${directory}/`)
}

function outside(path: string, within: string): ProviderError {
  return new ProviderError('invalid-data', `${path}: a link leads out of ${within}`, {
    hint: 'point the link at something inside, or give the provider the directory above',
  })
}
