import { credential, filePath, v, type Credential } from '../../../lib/base/schema.ts'
import type { Secret } from '../../../lib/base/secret.ts'
import { ProviderError, systemCode } from '../../../lib/errors.ts'
import { readCredential, readSecretFile } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

/** `auth: { method: token, token: … }`, or `{ method: token, file: PATH }`, where somebody else (an agent, say) keeps the file current. */
export const tokenOptions = v.pipe(
  v.strictObject({
    method: v.literal('token'),
    token: v.optional(credential()),
    file: v.optional(filePath('the path of a file with a token')),
  }),
  v.check(({ token, file }) => token === undefined || file === undefined, 'token or file, not both'),
)

/** The token that is configured, else the one that the commands would use: `VAULT_TOKEN`, `~/.vault-token`. */
export class TokenMethod implements AuthMethod {
  readonly name = 'token'
  readonly isFresh = false
  readonly #token: Credential | undefined
  readonly #file: string | undefined

  constructor({ token, file }: Pick<v.InferOutput<typeof tokenOptions>, 'token' | 'file'> = {}) {
    this.#token = token
    this.#file = file
  }

  async logIn(world: LoginWorld): Promise<Login> {
    return { token: checked(await this.#read(world)) }
  }

  async #read(world: LoginWorld): Promise<Secret> {
    const { settings } = world
    if (this.#token !== undefined) return await readCredential(world, this.#token, 'the token')
    if (this.#file !== undefined) return await readSecretFile(world, this.#file, 'the token')
    if (settings.environmentToken !== undefined) return settings.environmentToken
    if (settings.tokenFile === undefined) throw noToken()
    return await readSecretFile(world, settings.tokenFile, 'the token').catch(error => {
      throw systemCode((error as Error).cause) === 'ENOENT' ? noToken() : error
    })
  }
}

/** What is no token would be refused before it is sent, in words that do not help. */
function checked(token: Secret): Secret {
  if (/^[\x21-\x7e]+$/.test(token.reveal())) return token
  throw new ProviderError('unauthenticated', 'what should be a token is empty or is none', {
    hint: 'a token is one word without spaces; see auth.token, or the file that it names',
  })
}

function noToken(): ProviderError {
  return new ProviderError('unauthenticated', 'there is no token', {
    hint: 'set auth: { method: token, file: PATH } or another method, or VAULT_TOKEN',
  })
}
