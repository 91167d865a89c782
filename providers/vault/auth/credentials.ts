/** What methods log in with: read anew each time, since whoever keeps a file current replaces it. */
import { parseJson } from '../../../lib/base/json.ts'
import { v, type Credential } from '../../../lib/base/schema.ts'
import { Secret } from '../../../lib/base/secret.ts'
import { messageOf, ProviderError, systemCode } from '../../../lib/errors.ts'
import { mapOf } from '../secret.ts'
import { parsePath } from '../paths.ts'
import type { Login, LoginWorld } from './method.ts'
import { lifeIn } from './tokens.ts'

/** @param what it is, for people */
export async function readCredential(world: LoginWorld, credential: Credential, what: string): Promise<Secret> {
  return await credential
    .read(path => world.readFile(path))
    .catch(error => {
      throw unreadable(what, credential.path ?? '', error)
    })
}

/** The one word or line that a file has. Rejects with an `unauthenticated` ProviderError, whose cause is the system's. */
export async function readSecretFile(world: LoginWorld, path: string, what: string): Promise<Secret> {
  const bytes = await world.readFile(path).catch(error => {
    throw unreadable(what, path, error)
  })
  const text = Buffer.from(bytes).toString('utf8').trim()
  if (text === '') throw new ProviderError('unauthenticated', `${what} in ${path} is empty`)
  return new Secret(text)
}

/** Whose the JWT in a file is, by its own words: its issuer and its subject. Another one's may come to lie at the same path. */
export async function bearerIn(world: LoginWorld, path: string, what: string): Promise<readonly [string, string]> {
  const jwt = await readSecretFile(world, path, what)
  const payload = Buffer.from(jwt.reveal().split('.')[1] ?? '', 'base64url').toString('utf8')
  const fields = mapOf(parseJson(payload))
  const [issuer, subject] = [fields?.get('iss'), fields?.get('sub')]
  if (typeof subject !== 'string') throw new ProviderError('unauthenticated', `${what} in ${path} names no subject`)
  return [typeof issuer === 'string' ? issuer : '', subject]
}

function unreadable(what: string, path: string, cause: unknown): ProviderError {
  const why = systemCode(cause) ?? messageOf(cause)
  return new ProviderError('unauthenticated', `cannot read ${what} in ${path}: ${why}`, { cause })
}

/** Writes credentials to where a method logs in. */
export async function logInAt(
  world: LoginWorld,
  path: string,
  fields: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Login> {
  const { body } = await world.post(path, fields, signal)
  const auth = mapOf(mapOf(body)?.get('auth'))
  const token = auth?.get('client_token')
  if (auth === undefined || typeof token !== 'string' || token === '') {
    throw new ProviderError('unauthenticated', `log in at ${path}: the server gives no token`, {
      hint: 'a login that wants a second factor cannot be answered here',
    })
  }
  return { token: new Secret(token), life: lifeIn(auth, 'lease_duration') }
}

const MOUNT = 'the path at which the method is mounted, without auth/'

/** `mount: PATH`: where a method is mounted, below `auth/`. */
export function mountOption(usual: string) {
  return v.optional(
    v.pipe(
      v.string(MOUNT),
      v.check(text => parsePath(text) === text, MOUNT),
    ),
    usual,
  )
}

export function text(want: string) {
  return v.pipe(v.string(want), v.nonEmpty(want))
}
