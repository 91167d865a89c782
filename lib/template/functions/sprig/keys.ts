import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { elementsIn, integer, integerIn, sequence } from './der.ts'
import { printPem, readPem, type PemBlock } from './pem.ts'

/** A new private key of sprig's sizes: RSA of 4096 bits, DSA of 2048 and 256, ECDSA on P-256, Ed25519. */
export function generateKey(type: string): KeyObject | undefined {
  switch (type) {
    case '':
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey
    case 'dsa':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey
    case 'ecdsa':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey
    default:
      return undefined
  }
}

/** What certificates get that are given no key. */
export function generateCertificateKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

/** The private key in a text. Throws an Error with sprig's words. */
export function readKey(text: string): KeyObject {
  const block = readPem(text)
  if (block === undefined) throw new Error('no PEM data in input')
  const { type, bytes } = block
  if (type === 'PRIVATE KEY') {
    return orComplain('decoding PEM as PKCS#8: x509: failed to parse private key (unknown format)', () =>
      createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' }),
    )
  }
  if (!type.endsWith(' PRIVATE KEY')) throw new Error(`no private key data in PEM block of type ${type}`)
  const read = TRADITIONAL[type]
  if (read === undefined) throw new Error(`invalid private key type ${type}`)
  return orComplain(`parsing ${type.replace(/ PRIVATE KEY$/, '')} private key from PEM: ${TRUNCATED[type]}`, () =>
    read(block),
  )
}

const TRADITIONAL: Readonly<Record<string, (block: PemBlock) => KeyObject>> = {
  'RSA PRIVATE KEY': ({ bytes }) => createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs1' }),
  'EC PRIVATE KEY': ({ bytes }) => createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'sec1' }),
  'DSA PRIVATE KEY': block => createPrivateKey({ key: printPem(block), format: 'pem' }),
}

const TRUNCATED: Readonly<Record<string, string>> = {
  'RSA PRIVATE KEY': 'asn1: syntax error: data truncated',
  'EC PRIVATE KEY': 'x509: failed to parse EC private key: asn1: syntax error: data truncated',
  'DSA PRIVATE KEY': 'asn1: syntax error: data truncated',
}

/** OpenSSL's complaint is nothing that a reader knows, and may say more of a key than is good. */
function orComplain(complaint: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    throw new Error(complaint)
  }
}

/** A private key as sprig writes it: in the traditional form of its kind where there is one. */
export function printKey(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ format: 'pem', type: 'pkcs1' })
    case 'ec':
      return key.export({ format: 'pem', type: 'sec1' })
    case 'dsa':
      return printPem({ type: 'DSA PRIVATE KEY', bytes: traditionalDsa(key) })
    default:
      return key.export({ format: 'pem', type: 'pkcs8' })
  }
}

/** Node writes DSA keys as PKCS#8 only, which has the parts in other places. */
function traditionalDsa(key: KeyObject): Uint8Array {
  const [, parameters, secret] = partsOf(key.export({ format: 'der', type: 'pkcs8' }))
  const [, open] = partsOf(createPublicKey(key).export({ format: 'der', type: 'spki' }))
  const [, domain] = elementsIn(parameters?.content ?? new Uint8Array())
  const [p = 0n, q = 0n, g = 0n] = elementsIn(domain?.content ?? new Uint8Array()).map(integerIn)
  const [x = 0n] = elementsIn(secret?.content ?? new Uint8Array()).map(integerIn)
  // The bits begin with the number of those that are unused.
  const [y = 0n] = elementsIn(open?.content.subarray(1) ?? new Uint8Array()).map(integerIn)
  return sequence(...[0n, p, q, g, y, x].map(integer))
}

function partsOf(der: Uint8Array) {
  return elementsIn(elementsIn(der)[0]?.content ?? new Uint8Array())
}
