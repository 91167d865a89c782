import { createHmac, hash } from 'node:crypto'

/** One file of a generation, as it will be seen. */
export interface OutputFile {
  /** In a volume: relative, `/` between its parts. Without a volume: absolute. */
  readonly path: string
  readonly content: Uint8Array
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
}

/** What a bundle should show: the files of one render of one set of readings. Published under a number it is a generation: one
 *  complete, immutable, numbered set of a bundle's files. */
export interface Contents {
  readonly bundle: string
  /** Sorted by path; no path twice, and none below another. */
  readonly files: readonly OutputFile[]
  /** Keyed (HMAC-SHA-256, hex) over paths, contents, modes and owners: equal digests mean equal contents, and a digest can be
   *  shown without giving a guess at a short secret a way to be checked. */
  readonly digest: string
}

/** The digest of a bundle's files; see `Contents.digest`. `key` is a secret of this installation. */
export function digestOf(files: readonly OutputFile[], key: Uint8Array): string {
  return createHmac('sha256', key).update(files.map(lineOf).join('\n')).digest('hex')
}

/** What a digest is made of for one file. Most files of a generation are the objects of the one before, so that a change of
 *  one of a thousand costs the reading of one. It never leaves the process: it has no key. */
function lineOf(file: OutputFile): string {
  const known = lines.get(file)
  if (known !== undefined) return known
  const { path, content, mode, uid, gid } = file
  const line = JSON.stringify([path, hash('sha256', content), mode, uid ?? null, gid ?? null])
  lines.set(file, line)
  return line
}

const lines = new WeakMap<OutputFile, string>()
