import { credential, durationMs, v, type Credential } from '../../lib/base/schema.ts'

export interface TemplateOptions {
  readonly address: string
  /** Sent as a bearer token, where there is one. */
  readonly token?: Credential | undefined
  /** How often the server is asked. @default 10s */
  readonly poll: number
  /** How long one answer may take. @default 5s */
  readonly timeout: number
}

export const templateOptions = v.strictObject({
  address: v.pipe(
    v.string('an address such as http://127.0.0.1:8080'),
    v.regex(/^https?:\/\/[^/@?#]+$/, 'an address such as http://127.0.0.1:8080'),
  ),
  token: v.optional(credential()),
  poll: v.optional(durationMs({ least: 10 }), '10s'),
  timeout: v.optional(durationMs({ least: 10 }), '5s'),
})
