import { basename, dirname } from 'node:path'
import type { FileAttributes, FileStatus, FileSystem } from '../../lib/base/filesystem.ts'

interface FileNode {
  readonly kind: 'file'
  content: Uint8Array
  /** What a power cut leaves; undefined while the file has never been synced. */
  synced: Uint8Array | undefined
  mode: number
  uid: number
  gid: number
  modifiedAtMs: number
}

interface LinkNode {
  readonly kind: 'link'
  readonly target: string
  modifiedAtMs: number
}

interface DirectoryNode {
  readonly kind: 'directory'
  readonly entries: Map<string, Node>
  /** For each name that changed since the last sync: all that it was, the synced one first; undefined is "not there". */
  readonly unsynced: Map<string, (Node | undefined)[]>
  mode: number
  modifiedAtMs: number
}

type Node = FileNode | LinkNode | DirectoryNode

const UID = 1000
const GID = 1000

/** A file system in memory that loses what was not synced when its power is cut.
 *
 *  It promises what POSIX does and nothing more: without a sync of the directory, each name in it may be any of what it was
 *  since the last one, whatever the order and whatever happened to other names, renames included; without a sync of the file, its
 *  bytes may be a part of the new ones, zeros, or the old. Links in the middle of a path are not followed. */
export class MemoryFileSystem implements FileSystem {
  #root: DirectoryNode
  readonly #nowMs: () => number

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs
    this.#root = this.#newDirectory(0o755)
  }

  /** What may be left after a power cut, as a file system of its own; which of the possible ones is for `random` to say. */
  powerCut(random: () => number): MemoryFileSystem {
    const after = new MemoryFileSystem(this.#nowMs)
    after.#root = survivor(this.#root, random, new Map()) as DirectoryNode
    return after
  }

  async createFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
    this.#mustBeFree(path)
    this.#set(path, this.#newFile(content, attributes, undefined))
  }

  async replaceFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
    this.replaceUnsynced(path, content, attributes)
    await this.syncDirectory(dirname(path))
  }

  /** `replaceFile` without the sync of the directory: what a crash in it may leave. */
  replaceUnsynced(path: string, content: Uint8Array, attributes: FileAttributes): void {
    if (this.#find(path)?.kind === 'directory') throw systemError('EISDIR', path)
    this.#set(path, this.#newFile(content, attributes, Uint8Array.from(content)))
  }

  async appendFile(path: string, content: Uint8Array): Promise<void> {
    this.appendUnsynced(path, content)
    const node = this.#file(path)
    node.synced = node.content
    await this.syncDirectory(dirname(path))
  }

  /** `appendFile` without its syncs: what a crash in it may leave. */
  appendUnsynced(path: string, content: Uint8Array): void {
    if (this.#find(path) === undefined) this.#set(path, this.#newFile(new Uint8Array(), { mode: 0o600 }, undefined))
    const node = this.#file(path)
    node.content = Buffer.concat([node.content, content])
  }

  async readFile(path: string): Promise<Uint8Array> {
    return Buffer.from(this.#file(path).content)
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    this.#mustBeFree(path)
    this.#set(path, this.#newDirectory(mode))
  }

  async makeDirectories(path: string, mode: number): Promise<void> {
    const node = this.#find(path)
    if (node?.kind === 'directory') return
    if (node !== undefined) throw systemError('EEXIST', path)
    await this.makeDirectories(dirname(path), mode)
    await this.makeDirectory(path, mode)
    await this.syncDirectory(dirname(path))
  }

  async list(path: string): Promise<readonly string[]> {
    return [...this.#directory(path).entries.keys()].toSorted()
  }

  async link(target: string, path: string): Promise<void> {
    this.#mustBeFree(path)
    this.#set(path, { kind: 'link', target, modifiedAtMs: this.#nowMs() })
  }

  async readLink(path: string): Promise<string | undefined> {
    const node = this.#find(path)
    if (node !== undefined && node.kind !== 'link') throw systemError('EINVAL', path)
    return node?.target
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#find(from)
    if (node === undefined) throw systemError('ENOENT', from)
    const there = this.#find(to)
    if (there?.kind === 'directory' && (node.kind !== 'directory' || there.entries.size > 0)) {
      throw systemError(node.kind === 'directory' ? 'ENOTEMPTY' : 'EISDIR', to)
    }
    if (there !== undefined && there.kind !== 'directory' && node.kind === 'directory') throw systemError('ENOTDIR', to)
    this.#set(to, node)
    this.#set(from, undefined)
  }

  async stat(path: string): Promise<FileStatus | undefined> {
    const node = this.#find(path)
    if (node === undefined) return undefined
    return {
      kind: node.kind,
      mode: node.kind === 'link' ? 0o777 : node.mode,
      uid: node.kind === 'file' ? node.uid : UID,
      gid: node.kind === 'file' ? node.gid : GID,
      size: node.kind === 'file' ? node.content.length : 0,
      modifiedAtMs: node.modifiedAtMs,
    }
  }

  async touch(path: string, modifiedAtMs: number): Promise<void> {
    const node = this.#find(path)
    if (node === undefined) throw systemError('ENOENT', path)
    node.modifiedAtMs = modifiedAtMs
  }

  async remove(path: string): Promise<void> {
    const node = this.#find(path)
    if (node === undefined) return
    // From the inside out, as unlink(2) and rmdir(2) must: a power cut may leave any part.
    if (node.kind === 'directory') for (const name of node.entries.keys()) await this.remove(`${path}/${name}`)
    this.#set(path, undefined)
  }

  async syncFile(path: string): Promise<void> {
    const node = this.#file(path)
    node.synced = node.content
  }

  async syncDirectory(path: string): Promise<void> {
    this.#directory(path).unsynced.clear()
  }

  async syncTree(path: string): Promise<void> {
    const directory = this.#directory(path)
    directory.unsynced.clear()
    for (const [name, node] of directory.entries) {
      if (node.kind === 'directory') await this.syncTree(`${path}/${name}`)
      else if (node.kind === 'file') node.synced = node.content
    }
  }

  #newFile(content: Uint8Array, { mode, uid, gid }: FileAttributes, synced: Uint8Array | undefined): FileNode {
    const modifiedAtMs = this.#nowMs()
    return {
      kind: 'file',
      content: Uint8Array.from(content),
      synced,
      mode,
      uid: uid ?? UID,
      gid: gid ?? GID,
      modifiedAtMs,
    }
  }

  #newDirectory(mode: number): DirectoryNode {
    return { kind: 'directory', entries: new Map(), unsynced: new Map(), mode, modifiedAtMs: this.#nowMs() }
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path.split('/').filter(part => part !== '')) {
      if (node === undefined) return undefined
      if (node.kind !== 'directory') throw systemError('ENOTDIR', path)
      node = node.entries.get(name)
    }
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(path)
    if (node === undefined) throw systemError('ENOENT', path)
    if (node.kind !== 'directory') throw systemError('ENOTDIR', path)
    return node
  }

  #file(path: string): FileNode {
    const node = this.#find(path)
    if (node === undefined) throw systemError('ENOENT', path)
    if (node.kind === 'link') throw systemError('ELOOP', path)
    if (node.kind === 'directory') throw systemError('EISDIR', path)
    return node
  }

  #mustBeFree(path: string): void {
    if (this.#find(path) !== undefined) throw systemError('EEXIST', path)
  }

  #set(path: string, node: Node | undefined): void {
    const parent = this.#directory(dirname(path))
    const name = basename(path)
    const was = parent.unsynced.get(name) ?? [parent.entries.get(name)]
    was.push(node)
    parent.unsynced.set(name, was)
    parent.modifiedAtMs = this.#nowMs()
    if (node === undefined) parent.entries.delete(name)
    else parent.entries.set(name, node)
  }
}

/** What may be left of a node; the same copy for the same file, which may be there under two names. */
function survivor(node: Node, random: () => number, done: Map<Node, Node>): Node {
  const before = done.get(node)
  if (before !== undefined) return before
  const after = survived(node, random)
  done.set(node, after)
  if (node.kind !== 'directory' || after.kind !== 'directory') return after
  const names = [...new Set([...node.entries.keys(), ...node.unsynced.keys()])]
  for (const name of random() < 0.5 ? names : names.toReversed()) {
    const was = node.unsynced.get(name)
    const left = was === undefined ? node.entries.get(name) : was[Math.floor(random() * was.length)]
    // A directory has one name, whatever became of a rename: what has been found under another is not there.
    if (left === undefined || (left.kind === 'directory' && done.has(left))) continue
    after.entries.set(name, survivor(left, random, done))
  }
  return after
}

function survived(node: Node, random: () => number): Node {
  if (node.kind === 'link') return { ...node }
  if (node.kind === 'directory') return { ...node, entries: new Map(), unsynced: new Map() }
  const content = bytesLeft(node, random)
  return { ...node, content, synced: content }
}

function bytesLeft({ content, synced }: FileNode, random: () => number): Uint8Array {
  if (synced === content || (synced !== undefined && Buffer.compare(synced, content) === 0)) return content
  const length = Math.floor(random() * (content.length + 1))
  switch (Math.floor(random() * 4)) {
    case 0:
      return synced ?? new Uint8Array()
    case 1: // A part of what was written.
      return content.slice(0, Math.max(length, synced?.length ?? 0))
    case 2: // The length was written, the bytes were not.
      return Buffer.concat([synced ?? new Uint8Array(), new Uint8Array(content.length - (synced?.length ?? 0))])
    default:
      return content
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}
