import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** The path by which a socket in a directory is listened on or connected to, while the directory is open. A path of a socket is cut
 *  at 108 bytes; through the open directory it is always short. */
export function socketPath(directory: string, { fd }: Pick<FileHandle, 'fd'>, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}/${name}` : join(directory, name)
}
