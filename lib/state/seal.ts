import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { FileSystem } from '../base/filesystem.ts'
import { messageOf, OperationalError, systemCode } from '../errors.ts'
import { KEY_BYTES, readOwnKey } from './key.ts'

const CIPHER = 'aes-256-gcm'
/** The first byte of what is sealed: its format. */
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const NONCE_AT = 1
const TAG_AT = NONCE_AT + NONCE_BYTES
const BODY_AT = TAG_AT + TAG_BYTES

/** Seals a text (AES-256-GCM) under a name: it opens with the same key and under the same name only, so that two sealed texts cannot
 *  be taken for one another. Format: 1 byte, its version; 12 bytes, a random nonce; 16 bytes, the tag; the rest. */
export function seal(text: string, name: string, key: Uint8Array): Buffer {
  const nonce = randomNonce()
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(name, 'utf8'))
  const body = cipher.update(text, 'utf8')
  // What is sealed byte by byte has nothing left at its end.
  cipher.final()
  return Buffer.concat([Uint8Array.of(FORMAT), nonce, cipher.getAuthTag(), body])
}

const NONCES = 64
let unused: Buffer = Buffer.alloc(0)

/** Each is asked of the system together with others: for itself it costs as much as to seal with it. */
function randomNonce(): Buffer {
  if (unused.length === 0) unused = randomBytes(NONCES * NONCE_BYTES)
  const nonce = unused.subarray(0, NONCE_BYTES)
  unused = unused.subarray(NONCE_BYTES)
  return nonce
}

/** The text, or undefined where it was not sealed under this name with this key, or has been damaged. */
export function unseal(sealed: Uint8Array, name: string, key: Uint8Array): string | undefined {
  if (sealed[0] !== FORMAT || sealed.length < BODY_AT) return undefined
  const cipher = createDecipheriv(CIPHER, key, sealed.subarray(NONCE_AT, TAG_AT), { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(name, 'utf8'))
  cipher.setAuthTag(sealed.subarray(TAG_AT, BODY_AT))
  try {
    return Buffer.concat([cipher.update(sealed.subarray(BODY_AT)), cipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

/** The file of our own key in the state directory. */
export const SEAL_KEY = 'seal-key'

/** The key that seals: from the file that the configuration names, else one of our own in the state directory. */
export async function readSealKey(
  stateDirectory: string,
  keyFile: string | undefined,
  fileSystem: FileSystem,
): Promise<Uint8Array> {
  if (keyFile === undefined) return readOwnKey(join(stateDirectory, SEAL_KEY), fileSystem)
  const hint = 'stateKey names a file with at least 32 random bytes, such as head -c 32 /dev/urandom writes'
  let content: Uint8Array
  try {
    content = await fileSystem.readFile(keyFile)
  } catch (cause) {
    const why = systemCode(cause) ?? messageOf(cause)
    throw new OperationalError('bad-config', `cannot read the key file ${keyFile}: ${why}`, { hint, cause })
  }
  if (content.length < KEY_BYTES) {
    throw new OperationalError('bad-config', `${keyFile}: want a key of at least ${KEY_BYTES} bytes`, { hint })
  }
  return new Uint8Array(hkdfSync('sha256', content, '', 'outrigger sealed state', KEY_BYTES))
}
