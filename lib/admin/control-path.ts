import { open } from 'node:fs/promises'
import { socketPath } from '../base/socket-path.ts'

/** The name of the control socket in a state directory. */
export const CONTROL_SOCKET = 'control.sock'

/** Calls `use` with a path by which a socket in a directory is reached, whatever the length of its own. Rejects with the system's
 *  error where the directory cannot be opened. */
export async function withSocketIn<T>(directory: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const handle = await open(directory, 'r')
  try {
    return await use(socketPath(directory, handle, name))
  } finally {
    await handle.close()
  }
}
