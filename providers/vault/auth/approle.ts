import { credential, filePath, v } from '../../../lib/base/schema.ts'
import { Secret } from '../../../lib/base/secret.ts'
import { messageOf, ProviderError, systemCode } from '../../../lib/errors.ts'
import { dataOf, secretOf, textOf } from '../secret.ts'
import { logInAt, mountOption, readCredential, readSecretFile } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

export const appRoleOptions = v.strictObject({
  method: v.literal('approle'),
  mount: mountOption('approle'),
  roleId: credential(),
  secretIdFile: v.optional(filePath('the path of a file with a secret id')),
  wrapped: v.optional(v.boolean('true or false'), false),
  removeSecretIdFile: v.optional(v.boolean('true or false'), false),
})

/** A secret id, and the text of the file that it came from. */
interface Kept {
  readonly text: string
  readonly secretId: Secret
}

/** `auth: { method: approle, roleId: …, secretIdFile: PATH, wrapped: …, removeSecretIdFile: … }`. */
export class AppRoleMethod implements AuthMethod {
  readonly name = 'approle'
  readonly isFresh = true
  readonly locksOut = true
  readonly #options: v.InferOutput<typeof appRoleOptions>
  /** What cannot be read twice: a wrapped secret id is unwrapped once, and a file that was removed is gone. */
  #kept: Kept | undefined

  constructor(options: v.InferOutput<typeof appRoleOptions>) {
    this.#options = options
  }

  async account(world: LoginWorld): Promise<string> {
    const { mount, roleId } = this.#options
    return JSON.stringify([mount, (await readCredential(world, roleId, 'the role id')).reveal()])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { roleId, mount, secretIdFile } = this.#options
    const role = await readCredential(world, roleId, 'the role id')
    const secretId = secretIdFile === undefined ? undefined : await this.#secretId(world, secretIdFile, signal)
    const fields = { role_id: role.reveal(), ...(secretId === undefined ? {} : { secret_id: secretId.reveal() }) }
    return await logInAt(world, `auth/${mount}/login`, fields, signal)
  }

  async #secretId(world: LoginWorld, path: string, signal: AbortSignal): Promise<Secret> {
    const { wrapped, removeSecretIdFile } = this.#options
    const read = await this.#read(world, path)
    if (read === undefined) return (this.#kept as Kept).secretId
    const text = read.reveal()
    if (this.#kept?.text !== text) {
      this.#kept = { text, secretId: wrapped ? await unwrap(world, read, signal) : read }
    }
    if (removeSecretIdFile) await remove(world, path)
    return this.#kept.secretId
  }

  /** Undefined for a file that was removed after it was read. */
  async #read(world: LoginWorld, path: string): Promise<Secret | undefined> {
    try {
      return await readSecretFile(world, path, 'the secret id')
    } catch (error) {
      const isRemoved = this.#options.removeSecretIdFile && this.#kept !== undefined
      if (isRemoved && systemCode((error as Error).cause) === 'ENOENT') return undefined
      throw error
    }
  }
}

async function unwrap(world: LoginWorld, token: Secret, signal: AbortSignal): Promise<Secret> {
  const { body } = await world.post('sys/wrapping/unwrap', {}, signal, token).catch(error => {
    if (!(error instanceof ProviderError) || error.code !== 'unauthenticated') throw error
    throw new ProviderError('unauthenticated', 'the wrapped secret id has been had, has ended or never was', {
      cause: error,
      hint: 'write a new one; if nobody here had it, somebody else did: then revoke it',
    })
  })
  const secretId = textOf(dataOf(secretOf(body)), 'secret_id')
  if (secretId !== '') return new Secret(secretId)
  throw new ProviderError('unauthenticated', 'what was wrapped is no secret id', {
    hint: 'wrap the answer of auth/approle/role/ROLE/secret-id',
  })
}

async function remove(world: LoginWorld, path: string): Promise<void> {
  await world.removeFile(path).catch(error => {
    throw new ProviderError(
      'bad-config',
      `cannot remove the secret id in ${path}: ${systemCode(error) ?? messageOf(error)}`,
      { hint: 'the directory must be writable for removeSecretIdFile; a mounted Secret never is' },
    )
  })
}
