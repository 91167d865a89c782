import { createHash, createPublicKey, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto'
import {
  bits,
  elementsIn,
  integer,
  objectIdentifier,
  octets,
  sequence,
  setOf,
  tagged,
  time,
  utf8,
  type Element,
} from './der.ts'
import { printPem } from './pem.ts'

/** What a certificate says of its subject, and for how long. */
export interface Subject {
  readonly commonName: string
  /** The bytes of addresses. */
  readonly addresses: readonly Uint8Array[]
  readonly names: readonly string[]
  readonly isAuthority: boolean
  readonly start: Date
  readonly end: Date
}

/** Who signs: with a key, in a name. */
export interface Issuer {
  readonly key: KeyObject
  /** Distinguished name, as DER. */
  readonly name: Uint8Array
  /** Undefined where the certificate of the issuer has none. */
  readonly keyIdentifier: Uint8Array | undefined
}

const [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CERTIFICATE_SIGN] = [0x80, 0x20, 0x04]
const [CONTEXT, CONSTRUCTED] = [0x80, 0xa0]
const TRUE = Uint8Array.of(1, 1, 0xff)

/** Makes a certificate for `key`, as PEM; without an issuer it signs itself (RFC 5280). Throws an Error when the kind of key
 *  cannot sign. */
export function signCertificate(subject: Subject, key: KeyObject, issuer?: Issuer): string {
  const open = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const name = distinguishedName(subject.commonName)
  const own: Issuer = { key, name, keyIdentifier: subject.isAuthority ? keyIdentifier(open) : undefined }
  const signer = issuer ?? own
  const algorithm = algorithmOf(signer.key)
  const toSign = sequence(
    tagged(CONSTRUCTED, integer(2n)),
    integer(BigInt(`0x${randomBytes(16).toString('hex')}`)),
    algorithm.identifier,
    signer.name,
    sequence(time(subject.start), time(subject.end)),
    name,
    open,
    tagged(CONSTRUCTED + 3, sequence(...extensions(subject, own, signer))),
  )
  const signature = sign(algorithm.hash, toSign, signer.key)
  return printPem({ type: 'CERTIFICATE', bytes: sequence(toSign, algorithm.identifier, bits(signature)) })
}

/** The issuer that a certificate and its key make. Throws an Error when they do not belong together. */
export function issuerFrom(certificate: X509Certificate, key: KeyObject): Issuer {
  if (!certificate.checkPrivateKey(key)) throw new Error("x509: provided PrivateKey doesn't match parent's PublicKey")
  const [toSign] = elementsIn(elementsIn(certificate.raw)[0]?.content ?? new Uint8Array())
  const [, , , , , name, ...rest] = elementsIn(toSign?.content ?? new Uint8Array())
  return { key, name: name?.whole ?? sequence(), keyIdentifier: subjectKeyIdentifier(rest) }
}

function subjectKeyIdentifier(parts: readonly Element[]): Uint8Array | undefined {
  const list = parts.find(({ tag }) => tag === CONSTRUCTED + 3)
  const identifier = objectIdentifier(SUBJECT_KEY_IDENTIFIER)
  for (const extension of elementsIn(elementsIn(list?.content ?? new Uint8Array())[0]?.content ?? new Uint8Array())) {
    const [id, ...values] = elementsIn(extension.content)
    if (id !== undefined && identifier.equals(id.whole)) {
      return elementsIn(values.at(-1)?.content ?? new Uint8Array())[0]?.content
    }
  }
  return undefined
}

interface Algorithm {
  readonly identifier: Buffer
  readonly hash: string | null
}

const CURVE_ALGORITHMS: Readonly<Record<string, readonly [string, string]>> = {
  prime256v1: ['1.2.840.10045.4.3.2', 'sha256'],
  secp384r1: ['1.2.840.10045.4.3.3', 'sha384'],
  secp521r1: ['1.2.840.10045.4.3.4', 'sha512'],
}

function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { identifier: sequence(objectIdentifier('1.2.840.113549.1.1.11'), Uint8Array.of(5, 0)), hash: 'sha256' }
    case 'ec': {
      const [identifier, hash] = CURVE_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? []
      if (identifier === undefined || hash === undefined) throw new Error('x509: unknown elliptic curve')
      return { identifier: sequence(objectIdentifier(identifier)), hash }
    }
    case 'ed25519':
      return { identifier: sequence(objectIdentifier('1.3.101.112')), hash: null }
    default:
      throw new Error('x509: certificate private key does not implement crypto.Signer')
  }
}

function distinguishedName(commonName: string): Buffer {
  if (commonName === '') return sequence()
  return sequence(setOf(sequence(objectIdentifier('2.5.4.3'), utf8(commonName))))
}

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'

function extensions({ addresses, names, isAuthority }: Subject, own: Issuer, signer: Issuer): readonly Buffer[] {
  const usage = DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | (isAuthority ? CERTIFICATE_SIGN : 0)
  const alternatives = [
    ...names.map(name => tagged(CONTEXT + 2, Buffer.from(name, 'latin1'))),
    ...addresses.map(address => tagged(CONTEXT + 7, address)),
  ]
  return [
    extension('2.5.29.15', bits(Uint8Array.of(usage), isAuthority ? 2 : 5), TRUE),
    extension('2.5.29.37', sequence(...['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'].map(objectIdentifier))),
    extension('2.5.29.19', isAuthority ? sequence(TRUE) : sequence(), TRUE),
    ...(own.keyIdentifier === undefined ? [] : [extension(SUBJECT_KEY_IDENTIFIER, octets(own.keyIdentifier))]),
    ...(signer === own || signer.keyIdentifier === undefined
      ? []
      : [extension('2.5.29.35', sequence(tagged(CONTEXT, signer.keyIdentifier)))]),
    ...(alternatives.length === 0 ? [] : [extension('2.5.29.17', sequence(...alternatives))]),
  ]
}

function extension(identifier: string, value: Uint8Array, ...critical: readonly Uint8Array[]): Buffer {
  return sequence(objectIdentifier(identifier), ...critical, octets(value))
}

/** The start of the hash of the public key itself (RFC 7093). */
function keyIdentifier(open: Uint8Array): Uint8Array {
  const [, key] = elementsIn(elementsIn(open)[0]?.content ?? new Uint8Array())
  return createHash('sha256')
    .update(key?.content.subarray(1) ?? new Uint8Array())
    .digest()
    .subarray(0, 20)
}
