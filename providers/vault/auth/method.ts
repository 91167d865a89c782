import type { HttpRequest, HttpResponse } from '../../../lib/base/http.ts'
import type { Secret } from '../../../lib/base/secret.ts'
import type { Answer } from '../answer.ts'
import type { Environment } from '../environment.ts'

/** One way to come by a token. A method reads each file anew whenever it is asked. */
export interface AuthMethod {
  /** The word after `method:`. */
  readonly name: string
  /** Whether every call may well give another token. A token that is given to us stays what it is until somebody replaces it. */
  readonly isFresh: boolean
  /** Whether the server locks out whoever sends it the wrong credentials too often. @default false */
  readonly locksOut?: boolean
  /** Whom it logs in as: two that are the same get tokens for the same. A token is kept for the next process under this, and without it
   *  none is. No credential that is rotated. */
  account?(world: LoginWorld): Promise<string>
  /** Rejects with a `ProviderError`. */
  logIn(world: LoginWorld, signal: AbortSignal): Promise<Login>
}

export interface Login {
  readonly token: Secret
  /** Undefined where the method does not know; then the server is asked. */
  readonly life?: Life
}

/** For how long a token is good, from when it was asked for. */
export interface Life {
  /** 0 for one without an end. */
  readonly durationMs: number
  readonly renewable: boolean
  /** How often it may be used still; 0 for one without a limit. */
  readonly usesLeft: number
  /** The server's name for the token, which is no secret; empty of one that has none, or that may not be asked about. */
  readonly accessor: string
}

/** What a method uses of the provider's settings. */
export interface LoginSettings {
  /** The address for people. */
  readonly shown: string
  /** Empty for the root. */
  readonly namespace: string
  readonly timeoutMs: number
  /** The token and the file of it that the commands would use. */
  readonly environmentToken: Secret | undefined
  readonly tokenFile: string | undefined
  readonly connection: { readonly tls?: { readonly certificate?: string | undefined } | undefined }
}

/** What a method may use. */
export interface LoginWorld {
  readonly settings: LoginSettings
  readonly environment: Environment
  nowMs(): number
  readFile(path: string): Promise<Uint8Array>
  removeFile(path: string): Promise<void>
  /** Asks the server without a token, or with one that is for this alone. Statuses other than success reject. */
  post(path: string, fields: Readonly<Record<string, unknown>>, signal: AbortSignal, token?: Secret): Promise<Answer>
  /** Asks somebody else, over a connection for this alone. Rejects with an OperationalError. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>
}
