import { join } from 'node:path'
import type { FileSystem } from '../base/filesystem.ts'
import { readOwnKey } from './key.ts'

/** The key of this installation's digests, from the state directory; made once. Whoever holds it could check guesses at what
 *  short secrets a digest was made from. With a new one every digest differs, so each bundle is published once more. */
export function readDigestKey(stateDirectory: string, fileSystem: FileSystem): Promise<Uint8Array> {
  return readOwnKey(join(stateDirectory, 'digest-key'), fileSystem)
}
