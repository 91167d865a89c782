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

  async account({ settings }: LoginWorld): Promise<string> {
    const { mount, role = '' } = this.#options
    return JSON.stringify([mount, role, settings.connection.tls?.certificate ?? ''])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role } = this.#options
    if (world.settings.connection.tls?.certificate === undefined) {
      throw new ProviderError('bad-config', 'the method cert has no certificate to log in with', {
        hint: 'set tls.certificate and tls.key',
      })
    }
    return await logInAt(world, `auth/${mount}/login`, role === undefined ? {} : { name: role }, signal)
  }
}
