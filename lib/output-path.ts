import { byteLength } from './base/text.ts'

/** How long one part of a path may be, in bytes: NAME_MAX of Linux. */
const NAME_BYTES_MAX = 255
/** How long a whole path may be, in bytes: PATH_MAX of Linux, with its NUL, and room for the directory of a generation. */
const PATH_BYTES_MAX = 4_000

/** What is wrong with the path of an output as it is configured, or as its template gives it: `want X, got Y`, without the path. */
export function outputPathProblem(
  text: string,
  inVolume: boolean,
): { readonly message: string; readonly hint?: string } | undefined {
  if (inVolume && text.startsWith('/')) {
    return {
      message: 'want a path below the volume, got an absolute one',
      hint: 'remove the first slash, or the volume',
    }
  }
  if (!inVolume && !text.startsWith('/')) {
    return {
      message: 'want an absolute path, got a relative one',
      hint: 'begin it with a slash, or give the bundle a volume',
    }
  }
  const parts = (inVolume ? text : text.slice(1)).split('/')
  const want = inVolume ? 'a plain relative path' : 'a plain absolute path'
  if (text.includes('\0')) return { message: `want ${want}, got one with a NUL` }
  if (!text.isWellFormed()) return { message: `want ${want}, got one that is not UTF-8` }
  if (parts.includes('..')) return { message: `want ${want}, got one with a ".." in it` }
  if (parts.some(part => part === '' || part === '.')) {
    return {
      message: `want ${want}, got one with an empty part or a "." in it`,
      hint: 'write it without //, ./ and a slash at the end',
    }
  }
  if (inVolume && parts[0]?.startsWith('..') === true) {
    return { message: `want ${want}, got one that begins with ".."`, hint: 'such names are reserved for generations' }
  }
  if (parts.some(part => byteLength(part) > NAME_BYTES_MAX)) {
    return { message: `want at most ${NAME_BYTES_MAX} bytes between two slashes, got more` }
  }
  if (byteLength(text) > PATH_BYTES_MAX)
    return { message: `want a path of at most ${PATH_BYTES_MAX} bytes, got a longer one` }
  return undefined
}
