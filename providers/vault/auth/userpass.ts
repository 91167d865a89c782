import { credential, v } from '../../../lib/base/schema.ts'
import { logInAt, mountOption, readCredential, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

export const userpassOptions = v.strictObject({
  method: v.literal('userpass'),
  mount: mountOption('userpass'),
  ...nameAndPassword(),
})

export function nameAndPassword() {
  return { username: text('the name of a user'), password: credential() }
}

/** `auth: { method: userpass, username: …, password: … }`, and `ldap`, whose server asks a directory instead of itself. */
export class PasswordMethod implements AuthMethod {
  readonly name: string
  readonly isFresh = true
  readonly locksOut = true
  readonly #options: Omit<v.InferOutput<typeof userpassOptions>, 'method'>

  constructor({ method, ...options }: Omit<v.InferOutput<typeof userpassOptions>, 'method'> & { method: string }) {
    this.name = method
    this.#options = options
  }

  async account(): Promise<string> {
    const { mount, username } = this.#options
    return JSON.stringify([mount, username])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, username, password } = this.#options
    const read = await readCredential(world, password, 'the password')
    return await logInAt(world, `auth/${mount}/login/${username}`, { password: read.reveal() }, signal)
  }
}
