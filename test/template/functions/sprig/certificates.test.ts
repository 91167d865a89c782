import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const DAY_MS = 86_400_000

interface Pair {
  readonly certificate: X509Certificate
  readonly key: string
}

/** The certificates that a template prints as JSON. */
function certificates(text: string): readonly Pair[] {
  const printed = JSON.parse(run(text, { now: NOW })) as readonly { readonly Cert: string; readonly Key: string }[]
  return printed.map(({ Cert, Key }) => ({ certificate: new X509Certificate(Cert), key: Key }))
}

/** By key type, so that no test waits for an RSA key but the one that is about it. */
const EC = '(genPrivateKey "ecdsa")'

describe('an authority', () => {
  test.each(['ecdsa', 'ed25519'])('with a key of type %s signs itself and may sign others', type => {
    const [ca] = certificates(`{{list (genCAWithKey "the ca" 10 (genPrivateKey "${type}")) | toJson}}`) as [Pair]

    expect(ca.certificate.subject).toBe('CN=the ca')
    expect(ca.certificate.issuer).toBe('CN=the ca')
    expect(ca.certificate.ca).toBe(true)
    expect(ca.certificate.verify(createPublicKey(ca.key))).toBe(true)
    expect(ca.certificate.checkPrivateKey(createPrivateKey(ca.key))).toBe(true)
    expect(ca.certificate.validFromDate.getTime()).toBe(NOW)
    expect(ca.certificate.validToDate.getTime()).toBe(NOW + 10 * DAY_MS)
  })

  test('has an RSA key when it is given none', () => {
    const [ca] = certificates('{{list (genCA "ca" 1) | toJson}}') as [Pair]

    expect(createPrivateKey(ca.key).asymmetricKeyDetails?.modulusLength).toBe(2048)
    expect(ca.key).toContain('BEGIN RSA PRIVATE KEY')
    expect(ca.certificate.verify(createPublicKey(ca.key))).toBe(true)
  })

  test('signs a certificate that is verified against it, for names and addresses', () => {
    const [ca, leaf] = certificates(`{{$ca := genCAWithKey "ca" 10 ${EC}}}
      {{- $leaf := genSignedCertWithKey "leaf" (list "10.0.0.1" "2001:db8::1" "::ffff:1.2.3.4") (list "a.example" "b.example") 5 $ca ${EC}}}
      {{- list $ca $leaf | toJson}}`) as [Pair, Pair]

    expect(leaf.certificate.verify(ca.certificate.publicKey)).toBe(true)
    expect(leaf.certificate.verify(leaf.certificate.publicKey)).toBe(false)
    expect(leaf.certificate.checkIssued(ca.certificate)).toBe(true)
    expect(leaf.certificate.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true)
    expect(leaf.certificate.ca).toBe(false)
    expect(leaf.certificate.checkHost('b.example')).toBe('b.example')
    expect(leaf.certificate.checkIP('10.0.0.1')).toBe('10.0.0.1')
    expect(leaf.certificate.checkIP('2001:db8::1')).toBe('2001:db8::1')
    expect(leaf.certificate.checkIP('1.2.3.4')).toBe('1.2.3.4')
    expect(leaf.certificate.checkHost('c.example')).toBeUndefined()
    expect(leaf.certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  })

  test('of another key signs nothing', () => {
    const failure = failureOf(`{{$ca := genCAWithKey "ca" 1 ${EC}}}{{$other := genCAWithKey "ca" 1 ${EC}}}
      {{- $mixed := buildCustomCert (b64enc $ca.Cert) (b64enc $other.Key)}}{{genSignedCertWithKey "a" nil nil 1 $mixed ${EC}}}`)

    expect(failure.message).toContain("provided PrivateKey doesn't match parent's PublicKey")
  })
})

describe('a certificate', () => {
  test('signs itself, with a serial number of its own', () => {
    const [a, b] = certificates(
      `{{list (genSelfSignedCertWithKey "a" nil (list "a.example") 1 ${EC}) (genSelfSignedCertWithKey "a" nil nil 1 ${EC}) | toJson}}`,
    ) as [Pair, Pair]

    expect(a.certificate.verify(a.certificate.publicKey)).toBe(true)
    expect(a.certificate.ca).toBe(false)
    expect(a.certificate.serialNumber).not.toBe(b.certificate.serialNumber)
    expect(a.certificate.subjectAltName).toBe('DNS:a.example')
    expect(b.certificate.subjectAltName).toBeUndefined()
  })

  test('is not made for longer than a duration can be, nor for a name that no certificate can have', () => {
    expect(failureOf(`{{genCAWithKey "a" 200000 ${EC}}}`).message).toContain('106751')
    expect(failureOf(`{{genSelfSignedCertWithKey "a" nil (list "ä.example") 1 ${EC}}}`).message).toContain('IA5String')
  })
})

describe('a private key', () => {
  test.each([
    ['ecdsa', 'EC PRIVATE KEY'],
    ['ed25519', 'PRIVATE KEY'],
  ])('of type %s signs, and is written as %s', (type, title) => {
    const text = run(`{{genPrivateKey "${type}"}}`)
    const key = createPrivateKey(text)

    expect(text).toMatch(new RegExp(`^-----BEGIN ${title}-----\n[^]*-----END ${title}-----\n$`))
    const hash = type === 'ed25519' ? null : 'sha256'
    expect(verify(hash, Buffer.from('x'), createPublicKey(key), sign(hash, Buffer.from('x'), key))).toBe(true)
  })

  test('of DSA is written in the form that OpenSSL has long known', () => {
    const text = run('{{genPrivateKey "dsa"}}')
    const key = createPrivateKey(text)

    expect(text).toContain('BEGIN DSA PRIVATE KEY')
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, divisorLength: 256 })
    const signature = sign('sha256', Buffer.from('x'), key)
    expect(verify('sha256', Buffer.from('x'), createPublicKey(key), signature)).toBe(true)
  })

  test('is not shown when it cannot be read', () => {
    const failure = failureOf('{{genCAWithKey "a" 1 .}}', {
      dot: '-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n',
    })

    expect(failure.message).not.toContain('c2VjcmV0')
    expect(failure.message).not.toContain('secret')
  })
})
