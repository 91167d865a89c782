/** The real readers of what is encoded, as far as this machine has them. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished, type TestContext } from 'vitest'
import { scratch } from '../../support/scratch.ts'

/** Whether a program is here that succeeds with these arguments. */
export function works(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

export type Read = (bytes: Uint8Array) => Promise<unknown>

/** A reader of `read.py`; skips the test, with a line that says why, where it is not here. */
export async function pythonReader(reader: string, context: TestContext): Promise<Read> {
  if (!works('python3', '--version')) context.skip('needs python3')
  const ask = answering('python3', join(import.meta.dirname, 'read.py'))
  const read = async (bytes: Uint8Array): Promise<unknown> => {
    const request = { reader, bytes: Buffer.from(bytes).toString('base64') }
    const answer = JSON.parse(await ask(JSON.stringify(request))) as Answer
    if ('value' in answer) return answer.value
    if (answer.missing === undefined) throw new Error(answer.error)
    return context.skip(`needs what python3 has not: ${answer.missing}`)
  }
  await read(Buffer.from(PROBES[reader] ?? ''))
  return read
}

type Answer = { readonly value: unknown } | { readonly error?: string; readonly missing?: string }

/** What is read first, to see whether the reader is here. */
const PROBES: Readonly<Record<string, string>> = { xml: '<a/>' }

/** java.util.Properties: `latin1` and `utf8` load its text, `xml` its XML. Skips the test where there is no JDK. */
export function javaReader(
  how: 'latin1' | 'utf8' | 'xml',
  context: TestContext,
): (bytes: Uint8Array) => Promise<Record<string, string>> {
  if (!works('javac', '-version')) context.skip('needs a JDK')
  const ask = answering(
    'java',
    '-Xshare:auto',
    '-XX:TieredStopAtLevel=1',
    join(import.meta.dirname, 'read-properties.java'),
  )
  return async bytes => {
    const answer = await ask(`${how} ${Buffer.from(bytes).toString('base64')}`)
    if (answer.startsWith('!')) throw new Error(answer.slice(1))
    if (answer === '') return {}
    const words = answer.split(' ').map(word => Buffer.from(word.slice(1), 'base64').toString())
    return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1] ?? '']] : [])))
  }
}

/** PHP's parse_ini_string, as INI_SCANNER_RAW. Skips the test where there is no PHP. */
export function phpReader(context: TestContext): Read {
  if (!works('php', '--version')) context.skip('needs php')
  const ask = answering('php', '-n', join(import.meta.dirname, 'read-ini.php'))
  return async bytes => {
    const answer = await ask(Buffer.from(bytes).toString('base64'))
    if (answer === '!') throw new Error('PHP reads nothing of it')
    return JSON.parse(Buffer.from(answer, 'base64').toString())
  }
}

/** A program that answers each line with one; it ends with the test. */
function answering(program: string, ...args: readonly string[]): (line: string) => Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined
    child.stdin.end()
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async line => {
    child.stdin.write(`${line}\n`)
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${program} ended`)
    return value
  }
}

/** What a shell has in the environment that it gives on, once it has sourced a file, byte by byte as latin1. */
export function sourced(shell: string, file: string, bytes: Uint8Array, locale = 'C'): ReadonlyMap<string, string> {
  writeFileSync(file, bytes)
  const script = '. "$1" && exec /bin/cat /proc/self/environ'
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script, 'sh', file], {
    env: { LC_ALL: locale },
    // From a socket Bash would take itself for one of a remote login, and read its start-up files.
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status !== 0 || stderr.length > 0) throw new Error(`${shell}: ${stderr.toString()}`)
  const entries = stdout.toString('latin1').split('\0')
  return new Map(entries.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))
}

/** What the docker client reads out of an env file: it sends that to the daemon, which here is one that only notes it. */
export async function dockerReader(context: TestContext): Promise<(bytes: Uint8Array) => Promise<readonly string[]>> {
  if (!works('docker', '--version')) context.skip('needs a docker client')
  const directory = scratch()
  const socket = join(directory, 'socket')
  const asked: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('Api-Version', '1.40')
      if (request.url?.includes('/containers/create') !== true) return response.end('OK')
      asked.push(Buffer.concat(chunks).toString())
      return response.writeHead(201, { 'content-type': 'application/json' }).end('{"Id":"a","Warnings":[]}')
    })
  }).listen(socket)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const home = join(directory, 'home')
  mkdirSync(home)
  const file = join(directory, 'file')
  return async bytes => {
    writeFileSync(file, bytes)
    const environment = { PATH: process.env['PATH'], HOME: home, DOCKER_HOST: `unix://${socket}` }
    const child = spawn('docker', ['create', '--env-file', file, 'image'], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    if (code !== 0) throw new Error(said)
    return (JSON.parse(asked.at(-1) ?? '') as { readonly Env: readonly string[] | null }).Env ?? []
  }
}
