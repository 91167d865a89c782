import { createHmac } from 'node:crypto'

/** One file of a generation, as it will be seen. */
export interface OutputFile {
  /** In a volume: relative, `/` between its parts. Without a volume: absolute. */
  readonly path: string
  readonly content: Uint8Array
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
}

/** What a bundle should show: the files of one render of one set of readings, not yet numbered. */
export interface Contents {
  readonly bundle: string
  /** Sorted by path; no path twice, and none below another. */
  readonly files: readonly OutputFile[]
  /** Keyed (HMAC-SHA-256, hex) over paths, contents, modes and owners: equal digests mean equal contents, and a digest can be
   *  shown without giving a guess at a short secret a way to be checked. */
  readonly digest: string
}

/** One complete, immutable, numbered set of a bundle's files. */
export interface Generation {
  readonly bundle: string
  /** Grows with each publish of the bundle, also across restarts; a rollback gets a new number, too. */
  readonly number: number
  readonly digest: string
  /** Where its files lie, absolute: what a reader pins. Stays for `keep` generations and a minimum age. */
  readonly directory: string
}

/** The digest of a bundle's files; see `Contents.digest`. `key` is a secret of this installation. */
export function digestOf(files: readonly OutputFile[], key: Uint8Array): string {
  const hmac = createHmac('sha256', key)
  for (const { path, content, mode, uid, gid } of files) {
    // Lengths first, so that no two lists of files spell the same bytes.
    hmac.update(JSON.stringify([path, content.length, mode, uid ?? null, gid ?? null]))
    hmac.update(content)
  }
  return hmac.digest('hex')
}
