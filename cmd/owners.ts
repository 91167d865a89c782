import { messageOf, OperationalError } from '../lib/errors.ts'
import type { Owners } from '../lib/render/options.ts'
import type { World } from './world.ts'

/** Users and groups by name, from `/etc/passwd` and `/etc/group`: what a container image and a VM both have. */
export async function readOwners({ readFile }: Pick<World, 'readFile'>): Promise<Owners> {
  const [users, groups] = await Promise.all(['/etc/passwd', '/etc/group'].map(path => readTable(path, readFile)))
  return {
    uid: name => find('user', name, '/etc/passwd', users),
    gid: name => find('group', name, '/etc/group', groups),
  }
}

/** A user for people, by name where `/etc/passwd` has one. */
export async function userName(uid: number, { readFile }: Pick<World, 'readFile'>): Promise<string> {
  const users = await readTable('/etc/passwd', readFile)
  const name = [...users].find(([, id]) => id === uid)?.[0]
  return name === undefined ? `user ${uid}` : `${name} (user ${uid})`
}

/** Takes any name, and notes those that are not known here: the machine that checks a configuration need not be the one that
 *  runs it. */
export function noting(owners: Owners, notes: Set<string>): Owners {
  const lenient = (look: (name: string) => number) => (name: string) => {
    try {
      return look(name)
    } catch (error) {
      notes.add(messageOf(error))
      return 0
    }
  }
  return { uid: lenient(name => owners.uid(name)), gid: lenient(name => owners.gid(name)) }
}

/** The number in the third column by the name in the first; an unreadable table is an empty one. */
async function readTable(path: string, readFile: World['readFile']): Promise<ReadonlyMap<string, number>> {
  const text = await readFile(path).then(
    bytes => Buffer.from(bytes).toString('utf8'),
    () => '',
  )
  const rows = text.split('\n').map(line => line.split(':'))
  return new Map(rows.filter(row => row.length > 2).map(([name = '', , id]) => [name, Number(id)]))
}

function find(what: string, name: string, path: string, table: ReadonlyMap<string, number> | undefined): number {
  const id = table?.get(name)
  if (id !== undefined) return id
  throw new OperationalError('bad-config', `no ${what} is named "${name}" in ${path}`, {
    hint: `use the ${what}'s number, which needs no entry there`,
  })
}
