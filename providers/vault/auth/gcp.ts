import { sign } from 'node:crypto'
import { filePath, v } from '../../../lib/base/schema.ts'
import { Secret } from '../../../lib/base/secret.ts'
import { messageOf, ProviderError } from '../../../lib/errors.ts'
import type { Fields } from '../secret.ts'
import { askCloud, fieldIn, fieldsIn, variableOf } from './cloud.ts'
import { logInAt, mountOption, readSecretFile, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

const TYPE = 'iam or gce'

export const gcpOptions = v.pipe(
  v.strictObject({
    method: v.literal('gcp'),
    mount: mountOption('gcp'),
    type: v.picklist(['iam', 'gce'], TYPE),
    role: text('the name of a role'),
    keyFile: v.optional(filePath("the path of a service account's key, in JSON")),
  }),
  v.check(({ type, keyFile }) => type === 'iam' || keyFile === undefined, 'no keyFile with the type gce'),
)

/** The server takes 900 at most, unless a role says otherwise, and its clock may be behind ours. */
const LIFE_SECONDS = 600
const METADATA = 'metadata.google.internal'
const HOST = /^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:\d+)?$/

/** `auth: { method: gcp, type: iam | gce, role: … }`: with a JWT that the key of a service account signs, or with the one that Google
 *  gives a machine. */
export class GcpMethod implements AuthMethod {
  readonly name = 'gcp'
  readonly isFresh = true
  readonly #options: v.InferOutput<typeof gcpOptions>

  constructor(options: v.InferOutput<typeof gcpOptions>) {
    this.#options = options
  }

  async account(world: LoginWorld): Promise<string> {
    const { mount, role, type } = this.#options
    // Another account's key may come to lie at the same path. Which account a machine has only its metadata know.
    const email = type === 'iam' ? fieldIn(...(await this.#key(world)), 'client_email') : ''
    return JSON.stringify([mount, role, type, email])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role, type } = this.#options
    const jwt = type === 'iam' ? await this.#signed(world) : await this.#given(world, signal)
    return await logInAt(world, `auth/${mount}/login`, { role, jwt: jwt.reveal() }, signal)
  }

  /** What it is, for people, and what it has. */
  async #key(world: LoginWorld): Promise<[string, Fields]> {
    const { keyFile } = this.#options
    const path = keyFile ?? variableOf(world, 'GOOGLE_APPLICATION_CREDENTIALS')
    if (path === undefined) {
      throw new ProviderError('unauthenticated', "there is no service account's key", {
        hint: 'set auth.keyFile or GOOGLE_APPLICATION_CREDENTIALS; a machine of Google itself logs in with type: gce',
      })
    }
    const what = `the service account's key in ${path}`
    return [what, fieldsIn(what, (await readSecretFile(world, path, "the service account's key")).reveal())]
  }

  async #signed(world: LoginWorld): Promise<Secret> {
    const { role } = this.#options
    const [what, fields] = await this.#key(world)
    const seconds = Math.floor(world.nowMs() / 1_000)
    const header = { alg: 'RS256', typ: 'JWT', kid: fieldIn(what, fields, 'private_key_id') }
    const claims = { sub: fieldIn(what, fields, 'client_email'), aud: `vault/${role}`, exp: seconds + LIFE_SECONDS }
    const signed = [header, claims].map(part => base64Url(JSON.stringify(part))).join('.')
    try {
      const signature = sign('sha256', Buffer.from(signed), fieldIn(what, fields, 'private_key'))
      return new Secret(`${signed}.${signature.toString('base64url')}`)
    } catch (error) {
      if (error instanceof ProviderError) throw error
      // OpenSSL's words name what it met, and nothing of it.
      throw new ProviderError('unauthenticated', `${what} cannot sign: ${messageOf(error)}`)
    }
  }

  async #given(world: LoginWorld, signal: AbortSignal): Promise<Secret> {
    const host = variableOf(world, 'GCE_METADATA_HOST') ?? METADATA
    if (!HOST.test(host)) throw new ProviderError('bad-config', "the environment's GCE_METADATA_HOST is no host")
    // The server looks at the end of it alone.
    const query = new URLSearchParams({ audience: `http://vault/${this.#options.role}`, format: 'full' })
    const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/identity?${query.toString()}`
    const headers = new Map([['metadata-flavor', 'Google']])
    const jwt = (await askCloud(world, "the instance's metadata", { url, headers }, signal)).trim()
    if (/^[\w-]+(\.[\w-]+){2}$/.test(jwt)) return new Secret(jwt)
    throw new ProviderError('invalid-data', "the instance's metadata: not a JWT")
  }
}

function base64Url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
