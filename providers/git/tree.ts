/** One commit's files out of what git lists: bounded, links resolved, nothing that leaves the tree. */
import { createHash } from 'node:crypto'
import { Tree, type TreeFile } from '../../lib/base/value.ts'
import { ProviderError } from '../../lib/errors.ts'

/** What one reading may hold. A configuration is smaller; what is larger is the wrong directory. */
export const FILES_MAX = 20_000
export const TREE_BYTES_MAX = 64 * 1024 * 1024
export const FILE_BYTES_MAX = 16 * 1024 * 1024
/** As Linux follows at most. */
const LINKS_FOLLOWED_MAX = 40
const NAME_BYTES_MAX = 255
const PATH_BYTES_MAX = 4_096

/** A file or link of the commit, by its path below the directory that is read. */
export interface Entry {
  readonly path: string
  readonly kind: 'file' | 'link'
  readonly mode: number
  readonly hash: string
  readonly size: number
}

export interface Listing {
  readonly entries: readonly Entry[]
  /** The paths of submodules, which are left out. */
  readonly submodules: readonly string[]
}

const NARROW = 'set path: to the directory that is needed'

/** The entries in the output of `ls-tree -r -z -l`, within the bounds.
 *  @param where for messages: the repository and the commit. */
export function parseListing(output: string, where: string): Listing {
  const entries: Entry[] = []
  const submodules: string[] = []
  let bytes = 0
  for (const line of output.split('\0')) {
    if (line === '') continue
    const [, mode = '', type = '', hash = '', size = '', path = ''] =
      /^(\d{6}) (\w+) ([0-9a-f]+) +(\S+)\t(.*)$/s.exec(line) ?? []
    if (type === 'commit') {
      submodules.push(path)
      continue
    }
    if (type !== 'blob' || !/^\d+$/.test(size)) throw new Error(`git lists what it does not have: ${type} ${hash}`)
    checkPath(path, where)
    bytes += Number(size)
    if (Number(size) > FILE_BYTES_MAX) {
      throw tooLarge(where, `${path} has ${mebibytes(Number(size))}`, `${mebibytes(FILE_BYTES_MAX)} a file`)
    }
    entries.push({
      path,
      kind: mode === '120000' ? 'link' : 'file',
      mode: mode === '100755' ? 0o755 : 0o644,
      hash,
      size: Number(size),
    })
  }
  checkBounds(entries.length, bytes, where)
  return { entries, submodules }
}

function checkBounds(files: number, bytes: number, where: string): void {
  if (files > FILES_MAX) throw tooLarge(where, `there are ${files} files`, `${FILES_MAX} files`)
  if (bytes > TREE_BYTES_MAX) {
    throw tooLarge(where, `the files have ${mebibytes(bytes)}`, `${mebibytes(TREE_BYTES_MAX)} in all`)
  }
}

function tooLarge(where: string, found: string, bound: string): ProviderError {
  return new ProviderError('invalid-data', `${where}: ${found}, and at most ${bound} are read`, { hint: NARROW })
}

function mebibytes(bytes: number): string {
  return `${Math.ceil((bytes / 1024 / 1024) * 10) / 10} MiB`
}

function checkPath(path: string, where: string): void {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw refused(where, `${path.slice(0, NAME_BYTES_MAX)}…`, `has over ${PATH_BYTES_MAX} bytes`)
  }
  for (const name of path.split('/')) {
    const wrong = name === '' || name === '.' || name === '..' || /^(?:\.git|git~1)$/i.test(name) || name.includes('\0')
    if (wrong) throw refused(where, path, 'has a part that no file may have')
    if (Buffer.byteLength(name) > NAME_BYTES_MAX)
      throw refused(where, path, `has a part of over ${NAME_BYTES_MAX} bytes`)
    // Decoding put this in place of bytes that are not UTF-8; two such names could become one.
    if (name.includes('\ufffd')) throw refused(where, path, 'is not valid UTF-8')
  }
}

function refused(where: string, path: string, why: string): ProviderError {
  return new ProviderError('invalid-data', `${where}: the path ${JSON.stringify(path)} ${why}`, { hint: NARROW })
}

/** The blobs in the output of `cat-file --batch`, by their hash. Each is hashed again, so that a store that rotted, or that
 *  someone wrote to, cannot pass for the commit. */
export function parseBlobs(output: Buffer, into: Map<string, Uint8Array>): void {
  let at = 0
  while (at < output.length) {
    const end = output.indexOf(0x0a, at)
    const header = output.toString('latin1', at, end < 0 ? output.length : end)
    const [, hash = '', size = ''] = /^([0-9a-f]+) blob (\d+)$/.exec(header) ?? []
    if (hash === '') throw new Error(`the store does not have an object: ${header}`)
    const start = end + 1
    // A copy, because a part of git's whole output would keep all of it in memory.
    const content = new Uint8Array(output.subarray(start, start + Number(size)))
    if (hashOf(content, hash.length) !== hash) throw new Error(`the store has other bytes for object ${hash}`)
    into.set(hash, content)
    at = start + Number(size) + 1
  }
}

/** Whether a file only stands for one that is kept elsewhere (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
export function isLfsPointer(content: Uint8Array): boolean {
  const start = 'version https://git-lfs.github.com/spec/'
  return Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, start.length)).toString() === start
}

function hashOf(content: Uint8Array, length: number): string {
  return createHash(length === 40 ? 'sha1' : 'sha256')
    .update(`blob ${content.length}\0`)
    .update(content)
    .digest('hex')
}

/** The files of one reading by what they are made of, so that the next one can take over those that did not change. */
export type Files = ReadonlyMap<string, TreeFile>

export interface Assembled {
  readonly tree: Tree
  readonly files: Files
}

/** A tree of the entries, with each link replaced by what it points to: a file by its content, a directory by all that is in it.
 *
 *  Throws a ProviderError that names the link when it is absolute, leaves the tree, points to nothing, or goes round.
 *  @param before the files of the previous reading; what is the same in both becomes the same object. */
export function assemble(
  entries: readonly Entry[],
  contentOf: (hash: string) => Uint8Array,
  before: Files,
  where: string,
): Assembled {
  const root = new Directory()
  for (const entry of entries) insert(root, entry)
  const files = new Map<string, TreeFile>()
  const out = new Map<string, TreeFile>()
  let bytes = 0

  function fileOf(entry: Entry): TreeFile {
    const key = fileKey(entry)
    const file = files.get(key) ?? before.get(key) ?? { content: contentOf(entry.hash), mode: entry.mode }
    files.set(key, file)
    return file
  }
  function add(path: string, entry: Entry): void {
    out.set(path, fileOf(entry))
    bytes += entry.size
    checkBounds(out.size, bytes, where)
  }
  /** `open` are the directories that are being walked: a link to one of them would never end. */
  function walk(directory: Directory, prefix: string, open: readonly Directory[]): void {
    for (const [name, node] of directory.children) {
      const path = prefix + name
      if (node instanceof Directory) walk(node, `${path}/`, [...open, node])
      else if (node.kind === 'file') add(path, node)
      else follow(path, node, open)
    }
  }
  function follow(path: string, link: Entry, open: readonly Directory[]): void {
    const target = resolve(root, link, contentOf, where)
    if (!(target instanceof Directory)) return add(path, target)
    if (open.includes(target)) throw badLink(where, link, 'leads back to a directory that it is in')
    walk(target, `${path}/`, [...open, target])
  }

  walk(root, '', [root])
  const sorted = [...out].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { tree: new Tree(new Map(sorted)), files }
}

/** What makes two files the same object: the content and the mode. */
export function fileKey({ mode, hash }: Pick<Entry, 'mode' | 'hash'>): string {
  return `${mode.toString(8)} ${hash}`
}

class Directory {
  readonly children = new Map<string, Directory | Entry>()
}

function insert(root: Directory, entry: Entry): void {
  const names = entry.path.split('/')
  const last = names.pop() as string
  let directory = root
  for (const name of names) {
    let next = directory.children.get(name)
    if (!(next instanceof Directory)) directory.children.set(name, (next = new Directory()))
    directory = next
  }
  directory.children.set(last, entry)
}

/** Walks a link to its end as the system would, inside the tree. */
function resolve(
  root: Directory,
  link: Entry,
  contentOf: (hash: string) => Uint8Array,
  where: string,
): Directory | Entry {
  let followed = 0
  const trail = [root, ...parentsOf(root, link.path)]
  let todo = targetOf(link).split('/')
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      trail.pop()
      if (trail.length === 0) throw badLink(where, link, 'leaves the tree that is read')
      continue
    }
    const node = (trail.at(-1) as Directory).children.get(name)
    if (node === undefined) throw badLink(where, link, 'points to what is not there')
    if (node instanceof Directory) {
      trail.push(node)
      continue
    }
    if (node.kind === 'link') {
      if (++followed > LINKS_FOLLOWED_MAX) throw badLink(where, link, 'goes round in a circle')
      todo = [...targetOf(node).split('/'), ...todo]
      continue
    }
    if (todo.some(part => part !== '')) throw badLink(where, link, 'points below a file')
    return node
  }
  return trail.at(-1) as Directory

  function targetOf(entry: Entry): string {
    const target = Buffer.from(contentOf(entry.hash)).toString('utf8')
    if (target.startsWith('/')) throw badLink(where, link, 'is absolute')
    return target
  }
}

function parentsOf(root: Directory, path: string): readonly Directory[] {
  let directory = root
  return path
    .split('/')
    .slice(0, -1)
    .map(name => (directory = directory.children.get(name) as Directory))
}

function badLink(where: string, link: Entry, why: string): ProviderError {
  return new ProviderError('invalid-data', `${where}: the link ${JSON.stringify(link.path)} ${why}`, {
    hint: 'links are replaced by what they point to, inside the commit only; remove it, or set path: to a directory without it',
  })
}
