import { createCipheriv, createDecipheriv, createHmac, randomBytes, scryptSync } from 'node:crypto'
import { fromBytes, toBytes } from '../../../base/text.ts'
import type { Executing, TemplateFunction } from '../../function.ts'
import { base64, decodeBase64 } from '../base64.ts'
import { hashPassword } from './bcrypt.ts'
import { taking } from '../cost.ts'
import { define } from './define.ts'

/** Measured on one core, with their fixed costs. */
const BCRYPT_MS = 90
const SCRYPT_MS = 250

/** What setting up a cipher counts. */
const CIPHER_STEPS = 100

/** The functions on passwords and ciphers. Where chance is in it, the result is new each time; but a template is executed again
 *  only when an answer that it got has changed. */
export const cryptoFunctions: readonly TemplateFunction<unknown>[] = [
  taking(BCRYPT_MS, define('bcrypt PASSWORD', ['string'], bcrypt)),
  taking(
    BCRYPT_MS,
    define('htpasswd USER PASSWORD', ['string', 'string'], (user, password) =>
      user.includes(':') ? `invalid username: ${user}` : `${user}:${bcrypt(password)}`,
    ),
  ),
  taking(
    SCRYPT_MS,
    define(
      'derivePassword COUNTER TYPE PASSWORD USER SITE',
      ['int', 'string', 'string', 'string', 'string'],
      (counter, type, password, user, site) =>
        derivePassword(Number(BigInt.asUintN(32, BigInt(counter))), { type, password, user, site }),
    ),
  ),
  { ...define('encryptAES PASSWORD TEXT', ['string', 'string'], encrypt), steps: () => CIPHER_STEPS },
  { ...define('decryptAES PASSWORD TEXT', ['string', 'string'], decrypt), steps: () => CIPHER_STEPS },
]

/** What bcrypt takes into account. */
const PASSWORD_BYTES_MAX = 72

function bcrypt(password: string): string {
  const bytes = toBytes(password)
  if (bytes.length <= PASSWORD_BYTES_MAX) return hashPassword(password)
  return `failed to encrypt string with bcrypt: bcrypt: password length exceeds ${PASSWORD_BYTES_MAX} bytes`
}

const CIPHER = 'aes-256-cbc'
const BLOCK_BYTES = 16
const KEY_BYTES = 32

/** The password itself, cut off or filled up with zeros: so it is in sprig. */
function keyFrom(password: string): Uint8Array {
  const key = Buffer.alloc(KEY_BYTES)
  key.set(toBytes(password).subarray(0, KEY_BYTES))
  return key
}

function encrypt(password: string, text: string): string {
  if (text === '') return ''
  const start = randomBytes(BLOCK_BYTES)
  const cipher = createCipheriv(CIPHER, keyFrom(password), start)
  return Buffer.concat([start, cipher.update(toBytes(text)), cipher.final()]).toString('base64')
}

function decrypt(password: string, text: string, execution: Executing): string {
  if (text === '') return ''
  const bytes = decodeBase64(text, base64)
  if (typeof bytes === 'number') throw new Error(`illegal base64 data at input byte ${bytes}`)
  if (bytes.length < BLOCK_BYTES) {
    const capacity = (text.replaceAll(/[\r\n]/g, '').length / 4) * 3
    throw new Error(`runtime error: slice bounds out of range [:${BLOCK_BYTES}] with capacity ${capacity}`)
  }
  if (bytes.length % BLOCK_BYTES > 0) throw new Error('crypto/cipher: input not full blocks')
  const decipher = createDecipheriv(CIPHER, keyFrom(password), bytes.subarray(0, BLOCK_BYTES)).setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(bytes.subarray(BLOCK_BYTES)), decipher.final()])
  const padding = padded.at(-1)
  if (padding === undefined) throw new Error('runtime error: index out of range [-1]')
  const end = padded.length - padding
  // The wrong password most likely; how the text ends is not told.
  if (end < 0) throw new Error(`runtime error: slice bounds out of range [:${execution.quoted(end)}]`)
  return fromBytes(padded.subarray(0, end))
}

/** The letters that each kind of password has, by the template's letter for them. */
const LETTERS: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
}

/** Version 0 to 2 of the Master Password algorithm: what each type looks like. */
const TEMPLATES: ReadonlyMap<string, string> = new Map([
  ['maximum', 'anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno'],
  [
    'long',
    `CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv CvcvCvccnoCvcv
    CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv CvccCvccCvcvno CvcvnoCvccCvcc
    CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno`,
  ],
  ['medium', 'CvcnoCvc CvcCvcno'],
  ['short', 'Cvcn'],
  ['basic', 'aaanaaan aannaaan aaannaaa'],
  ['pin', 'nnnn'],
])

const SCOPE = 'com.lyndir.masterpassword'
const SCRYPT = { N: 32_768, r: 8, p: 2, maxmem: 2 ** 27 }

interface Site {
  readonly type: string
  readonly password: string
  readonly user: string
  readonly site: string
}

/** The password of a site, from the one of its user: always the same (Master Password). */
function derivePassword(counter: number, { type, password, user, site }: Site): string {
  const templates = TEMPLATES.get(type)?.split(/\s+/)
  if (templates === undefined) return `cannot find password template ${type}`
  const key = scryptSync(toBytes(password), withLength(user), 64, SCRYPT)
  const seed = createHmac('sha256', key).update(withLength(site)).update(bigEndian(counter)).digest()
  const [first = 0, ...rest] = seed
  const template = templates[first % templates.length] ?? ''
  return Array.from(template, (kind, i) => {
    const letters = LETTERS[kind] ?? ''
    return letters.charAt((rest[i] ?? 0) % letters.length)
  }).join('')
}

function withLength(text: string): Uint8Array {
  const bytes = toBytes(text)
  return Buffer.concat([Buffer.from(SCOPE), bigEndian(bytes.length), bytes])
}

function bigEndian(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
