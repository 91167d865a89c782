/** The file system calls that publishing, the journal and the lock are made of: each is one step that can fail or be the
 *  last one before a crash. Tests run the same code on a file system that dies at call k (`test/support/`).
 *
 *  Errors are Node's: an `Error` with `code` (`ENOSPC`, `EROFS`, `ENOENT`, …) and `path`. */
export interface FileSystem {
  /** Creates a file that must not exist (`O_EXCL`, links are not followed), with exactly this mode and owner, whatever the
   *  umask; the bytes are complete or the call fails and leaves nothing. Not yet durable: see `syncTree`. */
  createFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void>
  /** Replaces or creates a file as one step that is durable when it resolves: write beside, sync, rename, sync the directory.
   *  Before the rename nothing is seen; whatever goes wrong, the old file is as it was. A link at `path` is replaced, not
   *  followed. */
  replaceFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void>
  /** Adds bytes at the end of a file (made 0600 if missing) and syncs them: durable when it resolves. */
  appendFile(path: string, content: Uint8Array): Promise<void>
  readFile(path: string): Promise<Uint8Array>
  /** Makes a directory that must not exist, with exactly this mode, and the set-group-id bit where its parent gives it one. */
  makeDirectory(path: string, mode: number): Promise<void>
  /** Makes a directory and its missing parents as `makeDirectory` does, durable when it resolves; one that exists stays as it is. */
  makeDirectories(path: string, mode: number): Promise<void>
  /** The names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>
  /** Makes a link that must not exist. */
  link(target: string, path: string): Promise<void>
  /** Where a link points, or undefined when there is nothing at `path`. Fails with EINVAL on what is not a link. */
  readLink(path: string): Promise<string | undefined>
  rename(from: string, to: string): Promise<void>
  /** What is at `path`, links not followed, or undefined. */
  stat(path: string): Promise<FileStatus | undefined>
  /** Sets the modification time of what is at `path`, links not followed; in milliseconds since 1970. */
  touch(path: string, modifiedAtMs: number): Promise<void>
  /** Removes a file, a link, or a directory with all that is in it; nothing there is no error. */
  remove(path: string): Promise<void>
  /** Makes the bytes of a file durable. */
  syncFile(path: string): Promise<void>
  /** Makes the entries of a directory durable. */
  syncDirectory(path: string): Promise<void>
  /** Makes everything below a directory durable, itself included. A no-op on a file system that lives in memory. */
  syncTree(path: string): Promise<void>
}

export interface FileAttributes {
  /** Permission bits, `0o640` say. */
  readonly mode: number
  /** Numeric; ours when left out. Changing it needs the right to. */
  readonly uid?: number
  readonly gid?: number
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly modifiedAtMs: number
}
