import { sign, verify, type KeyObject } from 'node:crypto'
import type { Json } from './vault-server.ts'

/** A JWT of these claims, signed with an RSA key or one of the curve P-256. */
export function jwtOf(claims: Json, key: KeyObject, header: Json = {}): string {
  const alg = key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256'
  const signed = [{ alg, typ: 'JWT', ...header }, claims]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** What a JWT says, when one of these keys has signed it and it has not ended; else undefined. */
export function claimsOf(jwt: string, keys: readonly (string | undefined)[]): Json {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const signed = Buffer.from(`${header}.${payload}`)
  const isSigned = keys.some(
    key =>
      key !== undefined &&
      verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')),
  )
  if (!isSigned) return undefined
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  return claims.exp > Date.now() / 1_000 ? claims : undefined
}

/** The key that a JWT says it was signed with. */
export function keyIdOf(jwt: string): string {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid
}

/** @param fromNow in seconds */
export function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1_000) + fromNow
}
