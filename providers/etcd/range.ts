import { toBytes } from '../../lib/base/text.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { PREFIX } from './questions.ts'

/** The keys that a dependency is about, as etcd's JSON spells it: bytes are base64. */
export interface Range {
  /** Of the one key, or the first of many. */
  readonly key: string
  /** Of the first key after them; undefined for one key alone. */
  readonly rangeEnd: string | undefined
  /** How many bytes of each key are the provider's prefix, and how many the whole that all of them share. */
  readonly hiddenBytes: number
  readonly sharedBytes: number
}

/** @param prefix what stands before every path */
export function rangeOf({ kind, path }: Dependency, prefix: string): Range {
  const bytes = Buffer.from(toBytes(prefix + path))
  const sizes = { hiddenBytes: toBytes(prefix).length, sharedBytes: bytes.length }
  if (kind !== PREFIX) return { key: base64(bytes), rangeEnd: undefined, ...sizes }
  // A range without a start begins at the byte 0, before which no key is.
  const key = bytes.length === 0 ? Buffer.alloc(1) : bytes
  return { key: base64(key), rangeEnd: base64(endOf(bytes)), ...sizes }
}

/** The first key that does not begin with `prefix`; a lone byte 0 means that there is none. */
function endOf(prefix: Buffer): Buffer {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const byte = prefix[at] as number
    if (byte < 0xff) return Buffer.concat([prefix.subarray(0, at), Buffer.of(byte + 1)])
  }
  return Buffer.alloc(1)
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}
