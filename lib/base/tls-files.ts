import type { BigIntStats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, OperationalError, systemCode } from './errors.ts'
import type { TlsOptions } from './http.ts'

/** Where a client finds what TLS needs. Without an authority here, the system's are trusted. */
export interface TlsFiles {
  /** The path of a file with the certificates of the authorities that are trusted, PEM. */
  readonly ca?: string | undefined
  /** The path of a directory of such files. */
  readonly caDirectory?: string | undefined
  /** Such certificates themselves. */
  readonly caText?: string | undefined
  /** The path of the certificate that we show, PEM, with its chain. */
  readonly certificate?: string | undefined
  /** The path of its key, PEM. */
  readonly key?: string | undefined
  /** The name that the server's certificate must have. @default the address's host */
  readonly serverName?: string | undefined
  /** Whether any certificate of the server's is taken. @default false */
  readonly skipVerify?: boolean | undefined
}

const FILES_MAX = 1_000
const FILE_BYTES_MAX = 4 * 1024 * 1024

/** What the files hold now. Rejects with a `bad-config` OperationalError that names the file that cannot be read. */
export async function readTlsFiles(files: TlsFiles): Promise<TlsOptions> {
  const directory = files.caDirectory === undefined ? [] : await namesIn(files.caDirectory)
  const authorities = [
    ...(files.caText === undefined ? [] : [files.caText]),
    ...(await Promise.all([...(files.ca === undefined ? [] : [files.ca]), ...directory].map(readPem))),
  ]
  return {
    ...(authorities.length === 0 ? {} : { ca: authorities }),
    ...(files.certificate === undefined ? {} : { cert: await readPem(files.certificate) }),
    ...(files.key === undefined ? {} : { key: await readPem(files.key) }),
    ...(files.serverName === undefined ? {} : { servername: files.serverName }),
    ...(files.skipVerify === true ? { rejectUnauthorized: false } : {}),
  }
}

/** Something that differs when a file has been replaced, written or removed. Rejects as `readTlsFiles` does. */
export async function stampTlsFiles({ ca, caDirectory, certificate, key }: TlsFiles): Promise<string> {
  const paths = [ca, certificate, key].filter(path => path !== undefined)
  const below = caDirectory === undefined ? [] : [caDirectory, ...(await namesIn(caDirectory))]
  const stamps = await Promise.all([...paths, ...below].map(async path => stampOf(path, await statOf(path))))
  return stamps.join('\n')
}

function stampOf(path: string, { ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [path, ino, size, mtimeNs, ctimeNs].join(' ')
}

async function statOf(path: string): Promise<BigIntStats> {
  return await stat(path, { bigint: true }).catch(error => {
    throw unreadable(path, error)
  })
}

/** The files of a directory. A mounted Secret keeps its own behind names that begin with two dots. */
async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(error => {
    throw unreadable(directory, error)
  })
  const paths = names
    .filter(name => !name.startsWith('..'))
    .toSorted()
    .map(name => join(directory, name))
  if (paths.length > FILES_MAX) {
    throw new OperationalError('bad-config', `${directory}: more than ${FILES_MAX} files of authorities`)
  }
  const kinds = await Promise.all(paths.map(async path => (await statOf(path)).isFile()))
  return paths.filter((_, index) => kinds[index])
}

async function readPem(path: string): Promise<string> {
  const { size } = await statOf(path)
  if (size > FILE_BYTES_MAX) throw new OperationalError('bad-config', `${path}: too large for a PEM file`)
  const text = await readFile(path, 'utf8').catch(error => {
    throw unreadable(path, error)
  })
  if (text.includes('-----BEGIN ')) return text
  throw new OperationalError('bad-config', `${path}: not a PEM file`, {
    hint: 'a PEM file has a line that starts with -----BEGIN',
  })
}

function unreadable(path: string, error: unknown): OperationalError {
  return new OperationalError('bad-config', `${path}: cannot be read: ${systemCode(error) ?? messageOf(error)}`)
}
