/** A block of PEM (RFC 7468): what it is, and its bytes. */
export interface PemBlock {
  readonly type: string
  readonly bytes: Uint8Array
}

const LENGTH_MAX = 1_000_000

/** The first block in a text; undefined when there is none. */
export function readPem(text: string): PemBlock | undefined {
  if (text.length > LENGTH_MAX) return undefined
  const match = /^-----BEGIN ([^\n-]+)-----[ \t\r]*$/m.exec(text)
  if (match === null) return undefined
  const [head, type = ''] = match
  const start = match.index + head.length
  const end = text.indexOf(`-----END ${type}-----`, start)
  const body = text.slice(start, end < 0 ? start : end).replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body) || body.length % 4 !== 0) return undefined
  return { type, bytes: Buffer.from(body, 'base64') }
}

/** A text of lines of 64 letters. */
export function printPem({ type, bytes }: PemBlock): string {
  const body = Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN ${type}-----\n${body}-----END ${type}-----\n`
}
