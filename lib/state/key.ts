import { randomBytes } from 'node:crypto'
import { explained } from '../base/disk-error.ts'
import type { FileSystem } from '../base/filesystem.ts'

export const KEY_BYTES = 32

/** A random key of this installation, made once, in a file that is readable by us only. One that is damaged is made anew: what it
 *  was for can be made again, and is worth no stop. */
export async function readOwnKey(path: string, fileSystem: FileSystem): Promise<Uint8Array> {
  return explained(`read ${path}`, async () => {
    if ((await fileSystem.stat(path)) !== undefined) {
      const key = await fileSystem.readFile(path)
      if (key.length === KEY_BYTES) return key
    }
    const key = randomBytes(KEY_BYTES)
    await fileSystem.replaceFile(path, key, { mode: 0o600 })
    return key
  })
}
