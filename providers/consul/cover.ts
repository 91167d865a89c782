/** Which queries are sent for the keys that are asked for. */

/** What a watch asks of the keys: one, or all that begin alike. */
export interface Want {
  readonly path: string
  readonly isPrefix: boolean
}

/** One query, which answers every want that it covers. */
export type Cover = Want

/** So many keys of a folder are asked for by themselves; one more, and the folder is. */
export const ALONE_MAX = 4
/** How many queries there are at most, unless folders cannot be read. A Consul takes 200 connections from one address. */
export const COVERS_MAX = 64

export interface CoverOptions {
  /** What is read as one although it is not asked for as one: of the configuration, or found so before. */
  readonly shared: ReadonlySet<string>
  /** What cannot be read as one: it is too large, or a policy forbids it. */
  readonly unshared: ReadonlySet<string>
}

export function covers(cover: Cover, want: Want): boolean {
  return cover.isPrefix ? want.path.startsWith(cover.path) : !want.isPrefix && want.path === cover.path
}

/** The queries for all that is wanted: the same for the same wants, whatever their order.
 *
 *  1. What is wanted as a prefix is one query, and so is what is shared already.
 *  2. More than a few keys of one folder are the folder's query.
 *  3. Where that still makes too many, folders are read with those beside them, as far up as it takes. */
export function coversOf(wants: Iterable<Want>, { shared, unshared }: CoverOptions): readonly Cover[] {
  const all = [...wants]
  const prefixes = new Set(all.filter(({ isPrefix }) => isPrefix).map(({ path }) => path))
  const keys = new Set(all.filter(({ isPrefix }) => !isPrefix).map(({ path }) => path))
  for (const path of shared) {
    if (mayShare(path, unshared) && all.some(want => want.path.startsWith(path))) prefixes.add(path)
  }
  const alone = withoutCovered(keys, [...prefixes])
  for (const [folder, ofFolder] of Map.groupBy(alone, folderOf)) {
    if (folder !== '' && ofFolder.length > ALONE_MAX && mayShare(folder, unshared)) prefixes.add(folder)
  }
  return widened(outermost(prefixes), alone, unshared)
}

function widened(
  prefixes: readonly string[],
  keys: readonly string[],
  unshared: ReadonlySet<string>,
): readonly Cover[] {
  let [folders, alone] = [prefixes, keys]
  for (let depth = deepest([...folders, ...alone]); ; depth--) {
    alone = withoutCovered(alone, folders)
    if (depth < 0 || folders.length + alone.length <= COVERS_MAX) break
    const deep = [...folders, ...alone].filter(path => depthOf(path) >= depth)
    const up = new Set(folders)
    for (const [start, below] of Map.groupBy(deep, path => startOf(path, depth))) {
      // Of what has nothing in common but the root, how all of it begins.
      const shared = depth === 0 ? commonStart(below) : start
      if (below.length > 1 && mayShare(shared, unshared)) up.add(shared)
    }
    folders = outermost(up)
  }
  return [...folders.map(path => ({ path, isPrefix: true })), ...alone.map(path => ({ path, isPrefix: false }))]
}

/** What cannot be read as one cannot be read with more. */
function mayShare(path: string, unshared: ReadonlySet<string>): boolean {
  for (const other of unshared) if (other.startsWith(path)) return false
  return true
}

/** How many folders a path has above it. */
function depthOf(path: string): number {
  return path.split('/').length - 1
}

function deepest(paths: readonly string[]): number {
  return paths.reduce((depth, path) => Math.max(depth, depthOf(path)), 0)
}

/** The first folders of a path, each with its slash. */
function startOf(path: string, depth: number): string {
  return path
    .split('/')
    .slice(0, depth)
    .map(folder => `${folder}/`)
    .join('')
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

function commonStart(paths: readonly string[]): string {
  let start = paths[0] ?? ''
  for (const path of paths) while (!path.startsWith(start)) start = start.slice(0, -1)
  return start
}

/** Without those that begin with another. */
function outermost(prefixes: Iterable<string>): readonly string[] {
  const kept: string[] = []
  for (const prefix of [...prefixes].toSorted()) {
    const last = kept.at(-1)
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix)
  }
  return kept
}

function withoutCovered(keys: Iterable<string>, prefixes: readonly string[]): readonly string[] {
  return [...keys].filter(key => !prefixes.some(prefix => key.startsWith(prefix)))
}
