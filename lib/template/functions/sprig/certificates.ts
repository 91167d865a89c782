import { X509Certificate, type KeyObject } from 'node:crypto'
import { fromBytes } from '../../../base/text.ts'
import { Struct, type Value } from '../../../base/value.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Executing, ParameterKind, TemplateFunction } from '../../function.ts'
import { isAscii } from '../../letters.ts'
import { base64, decodeBase64 } from '../base64.ts'
import type { Time } from '../time.ts'
import { issuerFrom, signCertificate, type Issuer, type Subject } from './certificate.ts'
import { taking } from '../cost.ts'
import { define } from './define.ts'
import { generateCertificateKey, generateKey, printKey, readKey } from './keys.ts'
import { readPem } from './pem.ts'

const TYPE = 'sprig.certificate'
const SUBJECT: readonly ParameterKind[] = ['string', 'list', 'list', 'int']

/** What it takes to make a key of each kind, measured on one core. That of RSA and DSA differs from one to the next. */
const KEY_MS: ReadonlyMap<Value | undefined, number> = new Map([
  ['', 700],
  ['rsa', 700],
  ['dsa', 500],
  ['ecdsa', 1],
  ['ed25519', 1],
])
/** A certificate that is read, and held against its key. */
const CHECK_MS = 5
/** A certificate with a key of its own. */
const CERTIFICATE_MS = 75
/** A signature by a key of 4096 bits, and how long the text of that is: it takes eight times as long with twice the bits. */
const SIGNING_MS = 7
const SIGNING_KEY_LENGTH = 3_243

function signingMs(key: Value | undefined): number {
  return typeof key === 'string' ? 1 + SIGNING_MS * (key.length / SIGNING_KEY_LENGTH) ** 3 : 0
}

/** The key of a certificate as the functions give it. */
function keyOf(certificate: Value | undefined): Value | undefined {
  return certificate instanceof Struct ? certificate.fields.get('Key') : undefined
}

/** The functions that make keys and certificates. What they make is new each time; but a template is executed again only when an
 *  answer that it got has changed. */
export const certificateFunctions: readonly TemplateFunction<Time>[] = [
  taking(
    ([type]) => KEY_MS.get(type) ?? 0,
    define('genPrivateKey TYPE', ['string'], type => {
      const key = generateKey(type)
      return key === undefined ? `Unknown type ${type}` : printKey(key)
    }),
  ),
  taking(CHECK_MS, define('buildCustomCert CERTIFICATE KEY', ['string', 'string'], buildCustom)),
  taking(
    CERTIFICATE_MS,
    generating('genCA NAME DAYS', ['string', 'int'], call => make(authorityIn(call), generateCertificateKey())),
  ),
  taking(
    ([, , key]) => signingMs(key),
    generating('genCAWithKey NAME DAYS KEY', ['string', 'int', 'string'], call => make(authorityIn(call), keyIn(call))),
  ),
  taking(
    CERTIFICATE_MS,
    generating('genSelfSignedCert NAME ADDRESSES NAMES DAYS', SUBJECT, call =>
      make(subjectIn(call), generateCertificateKey()),
    ),
  ),
  taking(
    ([, , , , key]) => signingMs(key),
    generating('genSelfSignedCertWithKey NAME ADDRESSES NAMES DAYS KEY', [...SUBJECT, 'string'], call => {
      const key = keyIn(call)
      return make(subjectIn(call), key)
    }),
  ),
  taking(
    ([, , , , authority]) => CERTIFICATE_MS + signingMs(keyOf(authority)),
    generating('genSignedCert NAME ADDRESSES NAMES DAYS AUTHORITY', [...SUBJECT, `struct ${TYPE}`], call => {
      const issuer = issuerIn(call)
      return make(subjectIn(call), generateCertificateKey(), issuer)
    }),
  ),
  taking(
    ([, , , , authority]) => signingMs(keyOf(authority)),
    generating(
      'genSignedCertWithKey NAME ADDRESSES NAMES DAYS AUTHORITY KEY',
      [...SUBJECT, `struct ${TYPE}`, 'string'],
      call => {
        const key = keyIn(call)
        const issuer = issuerIn(call)
        return make(subjectIn(call), key, issuer)
      },
    ),
  ),
]

interface Call {
  readonly nowMs: number
  readonly args: readonly Value[]
  readonly execution: Executing
}

function generating(
  signature: string,
  parameters: readonly ParameterKind[],
  generate: (call: Call) => Value,
): TemplateFunction<Time> {
  return {
    name: signature.slice(0, signature.indexOf(' ')),
    signature,
    parameters,
    call({ now }, args, execution) {
      return generate({ nowMs: now(), args, execution })
    },
  }
}

function make(subject: Subject, key: KeyObject, issuer?: Issuer): Struct {
  try {
    return certificate(signCertificate(subject, key, issuer), printKey(key))
  } catch (error) {
    throw new Error(`error creating certificate: ${messageOf(error)}`, { cause: error })
  }
}

function certificate(text: string, key: string): Struct {
  return new Struct(
    TYPE,
    new Map([
      ['Cert', text],
      ['Key', key],
    ]),
  )
}

function authorityIn({ nowMs, args: [name, days] }: Call): Subject {
  return { commonName: name as string, addresses: [], names: [], isAuthority: true, ...validity(nowMs, Number(days)) }
}

function subjectIn({ nowMs, args: [name, addresses, names, days], execution }: Call): Subject {
  return {
    commonName: name as string,
    addresses: (addresses as readonly Value[]).map(address => addressBytes(address, execution)),
    names: (names as readonly Value[]).map(each => hostName(each, execution)),
    isAuthority: false,
    ...validity(nowMs, Number(days)),
  }
}

const DAY_MS = 86_400_000
/** Longer is no duration of Go. */
const DAYS_MAX = 106_751

function validity(nowMs: number, days: number): Pick<Subject, 'start' | 'end'> {
  if (Math.abs(days) > DAYS_MAX) throw new Error(`the days must not be more than ${DAYS_MAX}`)
  return { start: new Date(nowMs), end: new Date(nowMs + days * DAY_MS) }
}

/** The key is the last argument. */
function keyIn({ args }: Call): KeyObject {
  try {
    return readKey(args.at(-1) as string)
  } catch (error) {
    throw new Error(`parsing private key: ${messageOf(error)}`, { cause: error })
  }
}

function issuerIn({ args }: Call): Issuer {
  const { fields } = args[4] as Struct
  const parsed = parseCertificate(fields.get('Cert') as string, 'decodedSignerCert')
  const key = parseKey(fields.get('Key') as string)
  try {
    return issuerFrom(parsed, key)
  } catch (error) {
    throw new Error(`error creating certificate: ${messageOf(error)}`, { cause: error })
  }
}

function buildCustom(encodedCertificate: string, encodedKey: string): Struct {
  const text = decoded(encodedCertificate, 'certificate')
  const key = decoded(encodedKey, 'private key')
  parseCertificate(text, 'decodedCert')
  parseKey(key)
  return certificate(text, key)
}

function decoded(encoded: string, what: string): string {
  const bytes = decodeBase64(encoded, base64)
  if (typeof bytes === 'number') throw new Error(`unable to decode base64 ${what}`)
  return fromBytes(bytes)
}

function parseCertificate(text: string, variable: string): X509Certificate {
  const block = readPem(text)
  if (block === undefined) throw new Error('unable to decode certificate')
  try {
    return new X509Certificate(Buffer.from(block.bytes))
  } catch {
    throw new Error(`error parsing certificate: ${variable}.Bytes: x509: malformed certificate`)
  }
}

function parseKey(text: string): KeyObject {
  try {
    return readKey(text)
  } catch (error) {
    throw new Error(`error parsing private key: ${messageOf(error)}`, { cause: error })
  }
}

function addressBytes(address: Value, execution: Executing): Uint8Array {
  if (typeof address !== 'string') {
    throw new Error(`error parsing ip: ${execution.quoted(address)} is not a string`)
  }
  const { isIPv4, isIPv6 } = process.getBuiltinModule('node:net')
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number))
  if (!isIPv6(address) || address.includes('%')) throw new Error(`error parsing ip: ${execution.quoted(address, 's')}`)
  return bytesOfIPv6(address)
}

function bytesOfIPv6(address: string): Uint8Array {
  // The last two of eight groups may be written as an IPv4 address.
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [before = '', after] = hex.split('::')
  const groupsIn = (text: string) => (text === '' ? [] : text.split(':'))
  const last = groupsIn(after ?? '')
  const first = groupsIn(before)
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0')
  const bytes = Buffer.from([...first, ...zeros, ...last].map(group => group.padStart(4, '0')).join(''), 'hex')
  // What stands for an IPv4 address is written as one.
  return bytes.toString('hex').startsWith('00000000000000000000ffff') ? bytes.subarray(12) : bytes
}

function hostName(name: Value, execution: Executing): string {
  if (typeof name !== 'string') {
    throw new Error(`error processing alternate dns name: ${execution.quoted(name)} is not a string`)
  }
  if (isAscii(name)) return name
  throw new Error(`error creating certificate: x509: ${execution.quoted(name, 'q')} cannot be encoded as an IA5String`)
}
