import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'

/** Linux's PATH_MAX and NAME_MAX, in bytes. */
const PATH_BYTES_MAX = 4096
const NAME_BYTES_MAX = 255

/** Refuses files that cannot lie together below one directory, or that would leave it.
 *
 *  Paths may come from templates, hence from values: what is refused here is refused whoever looked before. `base` is '' for
 *  relative paths, and '/' when they must be absolute. */
export function checkPaths(files: readonly OutputFile[], base: '' | '/'): void {
  const paths = new Set<string>()
  for (const { path } of files) {
    const problem = problemOf(path, base)
    if (problem !== undefined) throw badPath(path, problem)
    if (paths.has(path)) throw badPath(path, 'it is there twice')
    paths.add(path)
  }
  for (const path of paths) {
    for (const parent of parentsOf(path)) {
      if (paths.has(parent)) throw badPath(path, `${parent} is a file, so nothing can be below it`)
    }
  }
}

function problemOf(path: string, base: '' | '/'): string | undefined {
  if (!path.startsWith(base)) return 'want an absolute path'
  const parts = path.slice(base.length).split('/')
  if (parts.includes('')) return base === '' && path.startsWith('/') ? 'want a relative path' : 'a part of it is empty'
  if (parts.includes('.') || parts.includes('..')) return "'.' and '..' are not allowed"
  if (base === '' && path.startsWith('..')) return "names that start with '..' are reserved"
  if (path.includes('\0')) return 'it has a zero byte'
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return `it is longer than ${PATH_BYTES_MAX} bytes`
  if (parts.some(part => Buffer.byteLength(part) > NAME_BYTES_MAX))
    return `a part is longer than ${NAME_BYTES_MAX} bytes`
  return undefined
}

function badPath(path: string, problem: string): OperationalError {
  return new OperationalError('bad-path', `file path ${JSON.stringify(path)}: ${problem}`, {
    hint: "change the file's `path`, or what the template puts into it",
  })
}

/** The directories above a path, outermost first: `a/b/c` gives `a`, `a/b`. */
export function parentsOf(path: string): readonly string[] {
  const parents: string[] = []
  for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    parents.push(path.slice(0, slash))
  }
  return parents
}
