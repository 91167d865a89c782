import type { Secret } from '../../../lib/base/secret.ts'
import type { Answer } from '../api.ts'
import type { Settings } from '../settings.ts'

/** One way to come by a token. A method holds no token and no credential: it reads each file anew whenever it is asked. */
export interface AuthMethod {
  /** The word after `method:`. */
  readonly name: string
  /** Whether every call may well give another token. A token that is given to us stays what it is until somebody replaces it. */
  readonly isFresh: boolean
  /** Rejects with a `ProviderError`. */
  logIn(world: LoginWorld, signal: AbortSignal): Promise<Login>
}

/** What a method knows of the token that it gives; what it does not know is looked up. */
export interface Login {
  readonly token: Secret
  readonly accessor?: string
  /** 0 for one without an end. */
  readonly durationMs?: number
  readonly renewable?: boolean
}

/** What a method may use. */
export interface LoginWorld {
  readonly settings: Settings
  readFile(path: string): Promise<Uint8Array>
  /** Asks the server without a token. Statuses other than success reject, as everywhere. */
  post(path: string, fields: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Answer>
}
