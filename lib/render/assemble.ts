import { digestOf, type Contents, type OutputFile } from '../generation.ts'
import type { Problem } from '../outcome.ts'

/** How many files one bundle may have. */
const FILES_MAX = 50_000
/** How many bytes all files of one bundle may have together. */
export const BYTES_MAX = 512 * 1024 * 1024

/** What one entry under `files:` gave, or one item of it. */
export interface Part {
  /** For messages: its path as configured, and the item. */
  readonly title: string
  readonly files: readonly OutputFile[]
}

/** All parts as the contents of one generation, or what keeps them from being that. */
export function assemble(
  bundle: string,
  parts: readonly Part[],
  digestKey: Uint8Array,
): { readonly contents: Contents } | { readonly problem: Problem } {
  const byPath = new Map<string, { readonly file: OutputFile; readonly title: string }>()
  let bytes = 0
  for (const { title, files } of parts) {
    for (const file of files) {
      const wrong = pathProblem(file.path)
      if (wrong !== undefined) return { problem: { message: `${title}: ${JSON.stringify(file.path)} ${wrong}` } }
      const other = byPath.get(file.path)
      if (other !== undefined) return { problem: collision(file.path, title, other.title) }
      byPath.set(file.path, { file, title })
      bytes += file.content.length
    }
  }
  if (byPath.size > FILES_MAX) return { problem: { message: `${byPath.size} files, more than ${FILES_MAX}` } }
  if (bytes > BYTES_MAX) return { problem: { message: `${bytes} bytes in all files together, more than ${BYTES_MAX}` } }
  for (const [path, { title }] of byPath) {
    const above = parentsOf(path).find(parent => byPath.has(parent))
    if (above !== undefined) return { problem: collision(above, title, byPath.get(above)?.title ?? above) }
  }
  const files = [...byPath.values()].map(({ file }) => file).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return { contents: { bundle, files, digest: digestOf(files, digestKey) } }
}

function collision(path: string, one: string, other: string): Problem {
  const titles = one === other ? `"${one}"` : `"${other}" and "${one}"`
  return {
    message: `two outputs want to be ${JSON.stringify(path)}: ${titles}`,
    hint: 'give each output a path of its own, none below another',
  }
}

/** What is wrong with an output's path, where something is. Trees bring paths that no configuration check has seen. */
function pathProblem(path: string): string | undefined {
  const parts = path.replace(/^\//, '').split('/')
  if (path.includes('\0')) return 'has a NUL in its path'
  if (parts.some(part => part === '' || part === '.' || part === '..')) return 'is not a plain path'
  if (!path.startsWith('/') && parts[0]?.startsWith('..') === true) return 'starts with "..", which is reserved'
  return undefined
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) parents.push(path.slice(0, at))
  return parents
}
