import { createHash, createHmac } from 'node:crypto'
import type { Secret } from '../../../../lib/base/secret.ts'

/** What AWS knows somebody by. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  /** Of keys that end by themselves. */
  readonly sessionToken: Secret | undefined
}

export interface Scope {
  readonly region: string
  readonly service: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The headers of a `POST /` of `body` to `host`, signed as AWS's Signature Version 4 has it, by name in lower case. All of them are
 *  signed, and together they are a credential for as long as the signature is good. */
export function signedHeaders(
  {
    host,
    headers,
    body,
  }: { readonly host: string; readonly headers: ReadonlyMap<string, string>; readonly body: string },
  keys: AwsKeys,
  { region, service }: Scope,
  nowMs: number,
): ReadonlyMap<string, string> {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const date = time.slice(0, 8)
  const own: [string, string][] = [
    ['host', host],
    ['x-amz-date', time],
  ]
  if (keys.sessionToken !== undefined) own.push(['x-amz-security-token', keys.sessionToken.reveal()])
  const all = [...headers, ...own].map(([name, value]) => [name.toLowerCase(), value] as const)
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const names = sorted.map(([name]) => name).join(';')
  const lines = sorted.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`).join('')
  const request = ['POST', '/', '', lines, names, sha256(body)].join('\n')
  const scope = [date, region, service, 'aws4_request'].join('/')
  const toSign = [ALGORITHM, time, scope, sha256(request)].join('\n')
  const key = [date, region, service, 'aws4_request'].reduce<Uint8Array>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${keys.secretAccessKey.reveal()}`),
  )
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  const credential = `Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return new Map([...sorted, ['authorization', `${ALGORITHM} ${credential}`]])
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
