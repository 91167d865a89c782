import { filePath, v } from '../../../lib/base/schema.ts'
import { bearerIn, logInAt, mountOption, readSecretFile, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

export const jwtOptions = v.strictObject({
  method: v.literal('jwt'),
  mount: mountOption('jwt'),
  role: v.optional(text('the name of a role')),
  file: filePath('the path of a file with a JWT'),
})

/** `auth: { method: jwt, role: …, file: PATH }`: with a JWT that an OIDC issuer keeps current. */
export class JwtMethod implements AuthMethod {
  readonly name = 'jwt'
  readonly isFresh = true
  readonly #options: v.InferOutput<typeof jwtOptions>

  constructor(options: v.InferOutput<typeof jwtOptions>) {
    this.#options = options
  }

  async account(world: LoginWorld): Promise<string> {
    const { mount, role = '', file } = this.#options
    return JSON.stringify([mount, role, await bearerIn(world, file, 'the JWT')])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role, file } = this.#options
    const jwt = await readSecretFile(world, file, 'the JWT')
    const fields = { jwt: jwt.reveal(), ...(role === undefined ? {} : { role }) }
    return await logInAt(world, `auth/${mount}/login`, fields, signal)
  }
}
