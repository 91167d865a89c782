import { ProviderError, systemCode, type ProviderErrorCode } from '../../lib/errors.ts'

/** What the system says when there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const MEANINGS: Readonly<Record<string, { readonly code: ProviderErrorCode; readonly hint: string }>> = {
  EACCES: { code: 'forbidden', hint: 'let our user read it, and enter the directories above it' },
  EPERM: { code: 'forbidden', hint: 'let our user read it' },
  EISDIR: { code: 'invalid-data', hint: 'ask for a file in it, or for all of it with tree:' },
  ELOOP: { code: 'invalid-data', hint: 'the links lead round in a circle; point one of them at a file' },
  ENAMETOOLONG: { code: 'invalid-data', hint: 'ask for a shorter path' },
  ESTALE: { code: 'unavailable', hint: 'the network file system lost it; mount it again' },
  EIO: { code: 'unavailable', hint: "the disk or the network file system fails; the system's log says more" },
}

/** The error that the system's own comes to; one of ours is given back as it is. */
export function failure(path: string, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const code = systemCode(error)
  if (code === undefined) throw error
  const meaning = MEANINGS[code]
  const options = meaning === undefined ? { cause: error } : { cause: error, hint: meaning.hint }
  return new ProviderError(meaning?.code ?? 'unavailable', `${path}: ${code}`, options)
}
