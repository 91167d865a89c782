import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificates {
  /** The paths of PEM files: the authority's certificate, and one of its, for 127.0.0.1 and for both ends, with its key. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Makes an authority and a certificate of it in a new directory. Needs openssl. */
export function makeCertificates(directory: string): Certificates {
  mkdirSync(directory, { recursive: true })
  const at = (name: string) => join(directory, name)
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca-key.pem'),
    '-out',
    at('ca.pem'),
    '-days',
    '1',
    '-subj',
    '/CN=test authority',
  )
  openssl('req', '-new', ...newKey, '-keyout', at('key.pem'), '-out', at('request.pem'), '-subj', '/CN=test')
  writeFileSync(at('extensions'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n')
  const by = ['-CA', at('ca.pem'), '-CAkey', at('ca-key.pem'), '-CAcreateserial']
  openssl(
    'x509',
    '-req',
    '-in',
    at('request.pem'),
    ...by,
    '-out',
    at('certificate.pem'),
    '-days',
    '1',
    '-extfile',
    at('extensions'),
  )
  return { ca: at('ca.pem'), certificate: at('certificate.pem'), key: at('key.pem') }
}
