/** Asking the remote where a ref is. */
import { isHash } from './names.ts'

/** Where a ref of the remote points. */
export interface RemoteRef {
  /** Its full name. */
  readonly name: string
  /** The commit, annotated tags followed. */
  readonly commit: string
}

/** The arguments of `ls-remote` that ask for one ref, and everything that it could mean. */
export function askFor(url: string, ref: string): readonly string[] {
  const names = candidates(ref)
  // Without this a server lists every ref that it has, those of its merge requests, too.
  const narrow = isShort(ref) ? ['--heads', '--tags'] : []
  return ['ls-remote', '--quiet', ...narrow, '--end-of-options', url, ...names.flatMap(name => [name, `${name}^{}`])]
}

/** What `ls-remote` says of a ref, or undefined when the remote does not have it. */
export function findRef(output: string, ref: string): RemoteRef | undefined {
  const hashes = new Map<string, string>()
  for (const line of output.split('\n')) {
    const [hash = '', name = ''] = line.split('\t')
    if (isHash(hash)) hashes.set(name, hash)
  }
  const name = candidates(ref).find(candidate => hashes.has(candidate))
  if (name === undefined) return undefined
  return { name, commit: hashes.get(`${name}^{}`) ?? (hashes.get(name) as string) }
}

/** In git's order (gitrevisions(7)): a tag wins over a branch of the same name; a full name says which is meant. */
function candidates(ref: string): readonly string[] {
  return isShort(ref) ? [`refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`] : [ref]
}

function isShort(ref: string): boolean {
  return ref !== 'HEAD' && !ref.startsWith('refs/')
}
