import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { explained } from '../base/disk-error.ts'
import type { FileSystem } from '../base/filesystem.ts'

const KEY_BYTES = 32

/** The key of this installation's digests, from the state directory; made once. Whoever holds it could check guesses at what
 *  short secrets a digest was made from, so it is readable by us only. */
export async function readDigestKey(stateDirectory: string, fileSystem: FileSystem): Promise<Uint8Array> {
  const path = join(stateDirectory, 'digest-key')
  return explained(`read ${path}`, async () => {
    if ((await fileSystem.stat(path)) !== undefined) {
      const key = await fileSystem.readFile(path)
      // A damaged key is worth no stop: with a new one every digest differs, so each bundle is published once more.
      if (key.length === KEY_BYTES) return key
    }
    const key = randomBytes(KEY_BYTES)
    await fileSystem.replaceFile(path, key, { mode: 0o600 })
    return key
  })
}
