import { dirname, join } from 'node:path'
import type { FileSystem } from '../../lib/base/filesystem.ts'

/** What an application reads at a path, links followed on the way; undefined when there is nothing. */
export async function readThrough(fileSystem: FileSystem, path: string): Promise<string | undefined> {
  const real = await resolve(fileSystem, path)
  if (real === undefined || (await fileSystem.stat(real))?.kind !== 'file') return undefined
  return Buffer.from(await fileSystem.readFile(real)).toString('utf8')
}

/** All files that an application finds below a directory, without the names that start with `..`: path to text. A link that
 *  leads nowhere is there, as undefined. */
export async function readTree(fileSystem: FileSystem, directory: string): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {}
  async function visit(below: string): Promise<void> {
    const real = await resolve(fileSystem, join(directory, below))
    if (real === undefined) return
    for (const name of await fileSystem.list(real)) {
      if (below === '' && name.startsWith('..')) continue
      const path = join(below, name)
      const end = await resolve(fileSystem, join(directory, path))
      if (end !== undefined && (await fileSystem.stat(end))?.kind === 'directory') await visit(path)
      else found[path] = await readThrough(fileSystem, join(directory, path))
    }
  }
  await visit('')
  return found
}

async function resolve(fileSystem: FileSystem, path: string, hopsMax = 10): Promise<string | undefined> {
  let real = '/'
  for (const [i, name] of path.split('/').entries()) {
    if (name === '') continue
    const next = join(real, name)
    const status = await fileSystem.stat(next)
    if (status === undefined) return undefined
    if (status.kind === 'link') {
      if (hopsMax === 0) throw new Error(`too many links: ${path}`)
      const target = (await fileSystem.readLink(next)) as string
      const rest = path.split('/').slice(i + 1)
      return resolve(fileSystem, join(target.startsWith('/') ? '/' : dirname(next), target, ...rest), hopsMax - 1)
    }
    real = next
  }
  return real
}
