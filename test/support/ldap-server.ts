/** A real directory to log in with: slapd of OpenLDAP, from where it was installed or extracted. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { scratch } from './scratch.ts'

/** Where slapd is: `SLAPD_BIN` says so, else the first on the PATH, or where Debian puts it. */
export const slapdProgram: string | undefined = [
  process.env.SLAPD_BIN,
  ...(process.env.PATH ?? '').split(delimiter).map(directory => join(directory, 'slapd')),
  '/usr/sbin/slapd',
].find(path => path !== undefined && path !== '' && existsSync(path))

const SUFFIX = 'cn=people'
/** It keeps something for each file that it may open, however many those are. */
const FILES_MAX = 256

export interface Directory {
  readonly url: string
  /** Where users are, by their `uid`. */
  readonly users: string
}

/** Starts one with these users and their passwords; it ends with the test. What it needs of modules and schemas is in the program. */
export async function startDirectory(passwords: Readonly<Record<string, string>>): Promise<Directory> {
  if (slapdProgram === undefined) throw new Error('there is no slapd')
  const root = scratch()
  const port = await freePort()
  mkdirSync(join(root, 'data'))
  const config = join(root, 'slapd.conf')
  writeFileSync(
    config,
    `objectclass ( 1.1.1.1 NAME 'someone' SUP top STRUCTURAL MAY ( cn $ uid $ userPassword ) )
database ldif
suffix "${SUFFIX}"
directory "${root}/data"
`,
  )
  const entries = Object.entries(passwords).map(
    ([uid, password]) => `dn: uid=${uid},${SUFFIX}\nobjectClass: someone\nuid: ${uid}\nuserPassword: ${password}\n`,
  )
  const ldif = join(root, 'users.ldif')
  writeFileSync(ldif, [`dn: ${SUFFIX}\nobjectClass: someone\ncn: people\n`, ...entries].join('\n'))

  const filled = run(['-T', 'add', '-f', config, '-l', ldif])
  const [code] = await once(filled.child, 'exit')
  if (code !== 0) throw new Error(`slapd ended with ${code}: ${filled.output()}`)
  const url = `ldap://127.0.0.1:${port}`
  const { child, output } = run(['-d', '0', '-f', config, '-h', url])
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}: ${output()}`)
    await answers(port)
  })
  return { url, users: SUFFIX }
}

function run(args: readonly string[]) {
  const environment = { PATH: process.env.PATH ?? '', LD_LIBRARY_PATH: librariesBeside(slapdProgram as string) }
  const script = `ulimit -n ${FILES_MAX}; exec "$@"`
  const child = spawn('sh', ['-c', script, 'sh', slapdProgram as string, ...args], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()))
  return { child, output: () => text }
}

/** The directories of libraries that were extracted with it: `usr/lib/TRIPLET` beside `usr/sbin`. */
function librariesBeside(program: string): string {
  const libraries = resolve(program, '../../lib')
  const names = existsSync(libraries) ? readdirSync(libraries).filter(name => name.endsWith('-linux-gnu')) : []
  return names.map(name => join(libraries, name)).join(':')
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
