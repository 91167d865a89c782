import { readFile } from 'node:fs/promises'
import { Credential } from '../base/schema.ts'
import type { Redactor, Secret } from '../base/secret.ts'
import { messageOf } from '../errors.ts'
import { HookError } from './hook.ts'

/** The headers of now: those in files are read each time, so that they can be rotated, and made known to the redactor. Rejects
 *  with a `failed` HookError that names the header and the file. */
export async function readHeaders(
  headers: ReadonlyMap<string, Secret | Credential>,
  redactor: Redactor,
): Promise<ReadonlyMap<string, Secret>> {
  const read = new Map<string, Secret>()
  for (const [name, value] of headers) {
    read.set(name, value instanceof Credential ? await readHeader(name, value, redactor) : value)
  }
  return read
}

async function readHeader(name: string, credential: Credential, redactor: Redactor): Promise<Secret> {
  try {
    const header = await credential.read(path => readFile(path))
    for (const text of headerTexts(header.reveal())) redactor.add(text)
    return header
  } catch (error) {
    throw new HookError('failed', `the header ${name}: cannot read ${credential.path}: ${messageOf(error)}`, {
      hint: 'let our user read the file, or correct the path after file:',
      cause: error,
    })
  }
}

/** What of a header must not be seen: all of it, the credential in it (RFC 9110 §11.4), and of a user and password the password. */
export function headerTexts(header: string): readonly string[] {
  const [, scheme = '', credential] = /^([A-Za-z-]+) +(\S+)$/.exec(header) ?? []
  if (credential === undefined) return [header]
  if (scheme.toLowerCase() !== 'basic') return [header, credential]
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credential, 'base64').toString('utf8')) ?? []
  return [header, credential, password]
}
