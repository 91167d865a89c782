import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { issuerFrom, signCertificate } from '../../lib/template/functions/sprig/certificate.ts'

export interface Authority {
  readonly certificate: string
  readonly key: KeyObject
}

export function newAuthority(commonName: string): Authority {
  const key = newKey()
  const subject = { commonName, addresses: [], names: [], isAuthority: true, ...lasting(86_400) }
  return { certificate: signCertificate(subject, key), key }
}

/** A certificate of this authority's, and its key. */
export function issue(
  { certificate, key }: Authority,
  wanted: { readonly names: readonly string[]; readonly addresses?: readonly Uint8Array[]; readonly seconds: number },
): { readonly certificate: string; readonly key: string; readonly serial: string; readonly expiration: number } {
  const own = newKey()
  const { names, addresses = [], seconds } = wanted
  const subject = { commonName: names[0] ?? '', addresses, names, isAuthority: false, ...lasting(seconds) }
  const signed = signCertificate(subject, own, issuerFrom(new X509Certificate(certificate), key))
  const { serialNumber, validToDate } = new X509Certificate(signed)
  return {
    certificate: signed,
    key: own.export({ format: 'pem', type: 'pkcs8' }),
    serial: serialNumber.toLowerCase().replaceAll(/(..)(?=.)/g, '$1:'),
    expiration: validToDate.getTime() / 1_000,
  }
}

/** A server's certificate on 127.0.0.1, and that of its authority in a file. */
export function certificateFor(caFile: string): { readonly cert: string; readonly key: string } {
  const authority = newAuthority('double')
  const { certificate, key } = issue(authority, {
    names: ['localhost'],
    addresses: [Uint8Array.of(127, 0, 0, 1)],
    seconds: 3_600,
  })
  writeFileSync(caFile, authority.certificate)
  return { cert: certificate, key }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function lasting(seconds: number): { readonly start: Date; readonly end: Date } {
  const nowMs = Math.floor(Date.now() / 1_000) * 1_000
  return { start: new Date(nowMs - 30_000), end: new Date(nowMs + seconds * 1_000) }
}
