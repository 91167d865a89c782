import { credential, filePath, v, type Credential } from '../../../lib/base/schema.ts'
import { Secret } from '../../../lib/base/secret.ts'
import { messageOf, ProviderError, systemCode } from '../../../lib/errors.ts'
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
    const readFile = (path: string) => world.readFile(path)
    if (this.#token !== undefined) {
      return await this.#token.read(readFile).catch(error => {
        throw unreadable(this.#token?.path ?? '', error)
      })
    }
    if (this.#file !== undefined) return await fromFile(this.#file, readFile)
    if (settings.environmentToken !== undefined) return settings.environmentToken
    if (settings.tokenFile === undefined) throw noToken()
    return await fromFile(settings.tokenFile, readFile, 'may be missing')
  }
}

async function fromFile(path: string, readFile: LoginWorld['readFile'], missing?: 'may be missing'): Promise<Secret> {
  const bytes = await readFile(path).catch(error => {
    throw missing !== undefined && systemCode(error) === 'ENOENT' ? noToken() : unreadable(path, error)
  })
  return new Secret(Buffer.from(bytes).toString('utf8').trim())
}

/** What is no token would be refused before it is sent, in words that do not help. */
function checked(token: Secret): Secret {
  if (/^[\x21-\x7e]+$/.test(token.reveal())) return token
  throw new ProviderError('unauthenticated', 'what should be a token is empty or is none', {
    hint: 'a token is one word without spaces; see auth.token, or the file that it names',
  })
}

function unreadable(path: string, error: unknown): ProviderError {
  const why = systemCode(error) ?? messageOf(error)
  return new ProviderError('unauthenticated', `cannot read the token in ${path}: ${why}`)
}

function noToken(): ProviderError {
  return new ProviderError('unauthenticated', 'there is no token', {
    hint: 'set auth: { method: token, file: PATH } or another method, or VAULT_TOKEN',
  })
}
