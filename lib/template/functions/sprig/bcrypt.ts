import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'

/** Two to the power of so many rounds: as in Go, and about a tenth of a second. */
const COST = 10
const SALT_BYTES = 16

/** The hash of a password of at most 72 bytes, with a salt of its own, as Go's x/crypto/bcrypt writes it. */
export function hashPassword(password: string): string {
  const { encodeBase64, hashSync } = library()
  return hashSync(password, `$2a$${COST}$${encodeBase64(randomBytes(SALT_BYTES), SALT_BYTES)}`)
}

let loaded: typeof import('bcryptjs') | undefined

/** Few templates hash passwords. */
function library(): typeof import('bcryptjs') {
  loaded ??= (
    import.meta.require === undefined ? createRequire(import.meta.url)('bcryptjs') : import.meta.require('bcryptjs')
  ) as typeof import('bcryptjs')
  return loaded
}
