import { v } from '../../../lib/base/schema.ts'
import { ProviderError } from '../../../lib/errors.ts'
import { logInAt, mountOption, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

export const certOptions = v.strictObject({
  method: v.literal('cert'),
  mount: mountOption('cert'),
  role: v.optional(text('the name of a role')),
})

/** `auth: { method: cert, role: … }`: with the client certificate that the connection has, see `tls`. */
export class CertMethod implements AuthMethod {
  readonly name = 'cert'
  readonly isFresh = true
  readonly #options: v.InferOutput<typeof certOptions>

  constructor(options: v.InferOutput<typeof certOptions>) {
    this.#options = options
  }

  async account(world: LoginWorld): Promise<string> {
    const { mount, role = '' } = this.#options
    // node:crypto is loaded anyway; its certificates are a class of OpenSSL's.
    const { X509Certificate } = process.getBuiltinModule('node:crypto')
    const own = new X509Certificate(await world.readFile(pathIn(world)))
    const { issuer, subject, subjectAltName = '', fingerprint256 } = own
    // One that nobody else has signed is trusted as itself, so the next one of the same names may be another's.
    return JSON.stringify([mount, role, issuer, subject, subjectAltName, own.checkIssued(own) ? fingerprint256 : ''])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role } = this.#options
    pathIn(world)
    return await logInAt(world, `auth/${mount}/login`, role === undefined ? {} : { name: role }, signal)
  }
}

/** The path of the certificate. */
function pathIn({ settings }: LoginWorld): string {
  const path = settings.connection.tls?.certificate
  if (path !== undefined) return path
  throw new ProviderError('bad-config', 'the method cert has no certificate to log in with', {
    hint: 'set tls.certificate and tls.key',
  })
}
