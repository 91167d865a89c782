import { Credential } from '../lib/base/schema.ts'
import { Secret } from '../lib/base/secret.ts'
import type { HookOptions } from '../lib/bundle.ts'
import type { Config } from '../lib/config/config.ts'
import type { AppWorld } from './world.ts'

/** Variables of a hook that are shorter (`true`, `8080`) would mask half of every line and are no secrets. */
const VARIABLE_LENGTH_MIN = 8

/** Makes the credentials of a configuration known to the redactor, for the case that a server or a command says them back to
 *  us. Of one in a file, it is the text of now: what it is rotated to later, only its provider knows. */
export async function hideCredentials(
  { providers, bundles }: Config,
  { redactor, readFile }: Pick<AppWorld, 'redactor' | 'readFile'>,
): Promise<void> {
  const secrets = [...providers.values()].flatMap(({ options }) => secretsIn(options))
  for (const secret of secrets) {
    // Whoever needs a file that cannot be read says so.
    const text = secret instanceof Secret ? secret : await secret.read(path => readFile(path)).catch(() => undefined)
    if (text !== undefined) redactor.add(text.reveal())
  }
  for (const text of [...bundles.values()].flatMap(({ hooks }) => hooks.flatMap(textsOf))) redactor.add(text)
}

function secretsIn(value: unknown): readonly (Secret | Credential)[] {
  if (value instanceof Secret || value instanceof Credential) return [value]
  if (value instanceof Map) return [...value.values()].flatMap(secretsIn)
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : []
}

function textsOf(hook: HookOptions): readonly string[] {
  if (hook.kind === 'command') return Object.values(hook.environment).filter(text => text.length >= VARIABLE_LENGTH_MIN)
  return hook.kind === 'http' ? [...hook.headers.values()].flatMap(header => headerTexts(header.reveal())) : []
}

/** A header, the credential in it (RFC 9110 §11.4), and of a user and password the password. */
function headerTexts(header: string): readonly string[] {
  const [, scheme = '', credential] = /^([A-Za-z-]+) +(\S+)$/.exec(header) ?? []
  if (credential === undefined) return [header]
  if (scheme.toLowerCase() !== 'basic') return [header, credential]
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credential, 'base64').toString('utf8')) ?? []
  return [header, credential, password]
}
