import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { disk } from '../../lib/base/disk.ts'
import { messageOf, ProviderError, systemCode } from '../../lib/errors.ts'
import type { ProviderHost } from '../../lib/provider.ts'

const KEY_BYTES = 32

/** A random key of this provider's, made once: what is shown of secrets is hashed with it, and is the same after a restart. */
export async function readOwnKey(host: ProviderHost): Promise<Uint8Array> {
  const path = join(await host.directory(), 'digest-key')
  try {
    const known = await readFile(path).catch(error => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    // One that is damaged is made anew: a lease that was kept under it is made once more.
    if (known?.length === KEY_BYTES) return known
    const key = randomBytes(KEY_BYTES)
    await disk.replaceFile(path, key, { mode: 0o600 })
    return key
  } catch (error) {
    const why = systemCode(error) ?? messageOf(error)
    throw new ProviderError('bad-config', `cannot keep a key in ${path}: ${why}`, { cause: error })
  }
}
