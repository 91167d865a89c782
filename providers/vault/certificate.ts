import { Struct, type Value } from '../../lib/base/value.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Fields } from './secret.ts'

/** A certificate as it was issued. */
export interface Certificate {
  /** What `pkiCert` gives: `.Cert`, `.Key`, `.CA` and `.CAChain`, and the same once more below `.Data`. */
  readonly value: Struct
  readonly serial: string
  readonly startsAtMs: number
  readonly endsAtMs: number
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g

/** The parts of an issue, told apart by what they are and not by how the server calls them: it may send them as one bundle.
 *  Rejects what has no certificate with an `invalid-data` ProviderError. */
export function certificateOf(what: string, data: Fields): Certificate {
  // node:crypto is loaded anyway; its certificates are a class of OpenSSL's.
  const { X509Certificate } = process.getBuiltinModule('node:crypto')
  const parts = { cert: '', key: '', ca: '', chain: new Set<string>() }
  let issued: InstanceType<typeof X509Certificate> | undefined
  for (const [kind, text] of blocksIn(data)) {
    if (kind.endsWith('PRIVATE KEY')) {
      parts.key = text
      continue
    }
    if (kind !== 'CERTIFICATE') continue
    const certificate = parsed(what, () => new X509Certificate(text))
    if (certificate.ca) {
      if (parts.ca === '') parts.ca = text
      parts.chain.add(text)
    } else {
      parts.cert = text
      issued = certificate
    }
  }
  if (issued === undefined) {
    throw new ProviderError('invalid-data', `${what}: there is no certificate in the answer`, {
      hint: 'pkiCert wants a path that issues one, such as pki/issue/ROLE',
    })
  }
  const fields = { Cert: parts.cert, Key: parts.key, CA: parts.ca, CAChain: [...parts.chain] }
  return {
    value: pem({ ...fields, Data: pem(fields) }),
    serial: issued.serialNumber,
    startsAtMs: issued.validFromDate.getTime(),
    endsAtMs: issued.validToDate.getTime(),
  }
}

function pem(fields: Readonly<Record<string, Value>>): Struct {
  return new Struct('dependency.PemEncoded', new Map(Object.entries(fields)))
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch {
    throw new ProviderError('invalid-data', `${what}: a certificate in the answer cannot be read`)
  }
}

/** The PEM blocks of all that the server says, each with a line break at its end: first those of the certificate itself. */
function blocksIn(data: Fields): readonly (readonly [kind: string, text: string])[] {
  const first = ['certificate', 'private_key', 'issuing_ca', 'ca_chain']
  const names = new Set([...first, ...[...data.keys()].toSorted()])
  const texts = [...names].flatMap(name => {
    const value = data.get(name)
    if (typeof value === 'string') return [value]
    return name === 'ca_chain' && Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
  })
  return texts.flatMap(text => [...text.matchAll(BLOCK)].map(([block, kind = '']) => [kind, `${block}\n`] as const))
}
