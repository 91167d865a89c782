import { ProviderError, systemCode, type ProviderErrorCode } from '../../lib/errors.ts'

/** What the system says when there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

interface Meaning {
  readonly code: ProviderErrorCode
  readonly says: string
  readonly hint: string
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: {
    code: 'forbidden',
    says: 'permission denied',
    hint: 'let our user read it, and enter the directories above it',
  },
  EPERM: { code: 'forbidden', says: 'not permitted', hint: 'let our user read it' },
  EISDIR: {
    code: 'invalid-data',
    says: 'it is a directory',
    hint: 'ask for a file in it, or for all of it with tree:',
  },
  ELOOP: {
    code: 'invalid-data',
    says: 'links lead round in a circle',
    hint: 'point one of them at a file',
  },
  ENAMETOOLONG: { code: 'invalid-data', says: 'the path is too long', hint: 'ask for a shorter path' },
  ESTALE: {
    code: 'unavailable',
    says: 'the network file system lost it',
    hint: 'mount it again',
  },
  EIO: {
    code: 'unavailable',
    says: 'the disk fails',
    hint: "the disk or the network file system fails; the system's log says more",
  },
}

/** The error that the system's own comes to; one of ours is given back as it is. */
export function failure(path: string, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const code = systemCode(error)
  if (code === undefined) throw error
  const meaning = MEANINGS[code]
  const options = meaning === undefined ? { cause: error } : { cause: error, hint: meaning.hint }
  const says = meaning === undefined ? code : `${meaning.says} (${code})`
  return new ProviderError(meaning?.code ?? 'unavailable', `${path}: ${says}`, options)
}
