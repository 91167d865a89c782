import { OperationalError, systemCode } from './errors.ts'

/** What a system's error means for whoever runs us, and what to do next. */
const MEANINGS: Readonly<Record<string, readonly [code: string, meaning: string, hint: string]>> = {
  ENOSPC: ['no-space', 'no space is left', 'make room there; what was visible stays, and the next try continues'],
  EDQUOT: ['no-space', 'the quota is used up', 'make room there; what was visible stays, and the next try continues'],
  EROFS: ['read-only', 'the file system is read-only', 'mount it writable for outrigger'],
  ENOENT: ['missing', 'it does not exist', 'check that it is still mounted and that nothing else removes files there'],
  ESTALE: ['missing', 'the network file system lost it', 'check that it is still mounted'],
  EACCES: ['not-permitted', 'permission denied', "check the owner and mode of its directory, and outrigger's user"],
  EPERM: ['not-permitted', 'not permitted', "check outrigger's user; changing an owner needs the right to (CAP_CHOWN)"],
  EBUSY: ['busy', 'it is a mount point', 'mount the directory instead of the single file (no subPath)'],
  EEXIST: ['in-the-way', 'something is there already', 'move away what lies there'],
  EISDIR: ['in-the-way', 'a directory is there', 'move the directory away'],
  ENOTDIR: ['in-the-way', 'a part of the path is not a directory', 'move away what lies there'],
  ENOTEMPTY: ['in-the-way', 'a directory is there', 'move the directory away'],
  ELOOP: ['in-the-way', 'a link is there', 'move the link away'],
  ENAMETOOLONG: ['name-too-long', 'the name is too long', 'use a shorter path'],
  EIO: ['input-output', 'the disk failed', 'check the disk and the kernel log'],
  EMFILE: ['too-many-files', 'too many files are open', 'raise the limit of open files (ulimit -n)'],
  ENFILE: ['too-many-files', 'too many files are open on this machine', 'raise fs.file-max'],
}

/** Does one thing with the disk; an error of the system is thrown as one of operation, `DOING: PATH: MEANING (CODE)`.
 *
 *  `doing` says what and where: `stage generation 42 in /run/config`. Its codes: `no-space`, `read-only`, `missing`, `not-permitted`, `busy`,
 *  `in-the-way`, `name-too-long`, `input-output`, `too-many-files`, and `disk` for the rest. */
export async function explained<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(error, doing)
  }
}

function explain(error: unknown, doing: string): unknown {
  const systems = systemCode(error)
  // What is ours already, and what is a bug, goes on as it is.
  if (error instanceof OperationalError || systems === undefined || !/^E[A-Z0-9]+$/.test(systems)) return error
  const [code, meaning, hint] = MEANINGS[systems] ?? ['disk', 'the disk refused', 'see errno(3) for what it means']
  const { path: from, dest } = error as NodeJS.ErrnoException & { readonly dest?: string }
  // Of a rename, the name that people know: the other one is a temporary one of ours.
  const path = dest ?? from
  const where = path === undefined || doing.endsWith(path) ? '' : `${path}: `
  return new OperationalError(code, `${doing}: ${where}${meaning} (${systems})`, { hint, cause: error })
}
