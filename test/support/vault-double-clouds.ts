/** The log-in methods of the double that trust a cloud. What a real server asks the cloud (who has signed this, with which key) is
 *  written to their configuration here: `keys`. */
import { createHash, createHmac } from 'node:crypto'
import { claimsOf, keyIdOf } from './jwt.ts'
import type { Auth, AuthAnswer, LoginCall } from './vault-double-auth.ts'
import type { Json } from './vault-server.ts'

/** What has a configuration and roles. */
abstract class Cloud implements Auth {
  protected config: Json = {}
  readonly #roles = new Map<string, Json>()

  answer({ path, body }: LoginCall): AuthAnswer {
    const [area, name = ''] = path.split('/')
    if (area === 'config') this.config = { ...this.config, ...body }
    if (area === 'role') this.#roles.set(name, body)
    if (area !== 'login') return { status: 204 }
    const role = this.#roles.get(body.role)
    const isGood = role !== undefined && this.isGood(body, role)
    return { granted: isGood ? { role, policies: role.token_policies ?? [] } : undefined }
  }

  protected abstract isGood(login: Json, role: Json): boolean
}

/** `config.keys`: by their id, what AWS knows of keys: `secret`, `token`, `arn`. */
export class Aws extends Cloud {
  protected override isGood(login: Json, role: Json): boolean {
    const url = new URL(decoded(login.iam_request_url))
    const body = decoded(login.iam_request_body)
    const headers = new Map<string, string>()
    for (const [name, value] of Object.entries(JSON.parse(decoded(login.iam_request_headers)) as object)) {
      headers.set(name.toLowerCase(), String(Array.isArray(value) ? value[0] : value))
    }
    if (login.iam_http_request_method !== 'POST' || body !== 'Action=GetCallerIdentity&Version=2011-06-15') return false
    const id = this.config.iam_server_id_header_value
    if (id !== undefined && headers.get('x-vault-aws-iam-server-id') !== id) return false
    const arn = this.#whoSigned(url, headers, body, id === undefined ? [] : ['x-vault-aws-iam-server-id'])
    return arn !== undefined && role.bound_iam_principal_arn.includes(arn)
  }

  /** What AWS would say, by signing once more. */
  #whoSigned(
    { host, pathname }: URL,
    headers: ReadonlyMap<string, string>,
    body: string,
    wanted: readonly string[],
  ): string | undefined {
    const match =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/sts\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
        headers.get('authorization') ?? '',
      )
    if (match === null) return undefined
    const [, id = '', day = '', region = '', names = '', signature] = match
    const key = this.config.keys[id]
    const time = headers.get('x-amz-date') ?? ''
    const isNow = Math.abs(Date.parse(time.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:')) - Date.now()) < 900_000
    const isAll = ['host', 'x-amz-date', ...wanted].every(name => names.split(';').includes(name))
    const isRegional = host === (region === 'us-east-1' ? 'sts.amazonaws.com' : `sts.${region}.amazonaws.com`)
    if (key === undefined || headers.get('x-amz-security-token') !== key.token || !isAll || !isNow) return undefined
    if (!time.startsWith(day) || headers.get('host') !== host || !isRegional) return undefined
    const canonical = names.split(';').map(name => `${name}:${headers.get(name)}\n`)
    const request = ['POST', pathname, '', canonical.join(''), names, hashed(body)].join('\n')
    const toSign = ['AWS4-HMAC-SHA256', time, `${day}/${region}/sts/aws4_request`, hashed(request)].join('\n')
    const keyOfDay = hmac(hmac(hmac(hmac(`AWS4${key.secret}`, day), region), 'sts'), 'aws4_request')
    return hmac(keyOfDay, toSign).toString('hex') === signature ? key.arn : undefined
  }
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString()
}

function hashed(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** `config.keys`: the public keys of service accounts and of Google, by their ids; Google's own has none. */
export class Gcp extends Cloud {
  protected override isGood({ jwt }: Json, role: Json): boolean {
    const claims = claimsOf(jwt, [this.config.keys[keyIdOf(jwt) ?? '']])
    if (claims === undefined || !String(claims.aud).endsWith(`vault/${role.name}`)) return false
    if (role.type === 'gce') return role.bound_zones.includes(claims.google?.compute_engine?.zone)
    return role.bound_service_accounts.includes(claims.sub) && claims.exp <= Date.now() / 1_000 + 900
  }
}

/** `config.keys`: the public keys of the tenant. */
export class Azure extends Cloud {
  protected override isGood(login: Json, role: Json): boolean {
    const claims = claimsOf(login.jwt, this.config.keys)
    if (claims === undefined || claims.aud !== this.config.resource) return false
    if (role.bound_service_principal_ids !== undefined) return role.bound_service_principal_ids.includes(claims.oid)
    const isMachine = (login.vm_name ?? '') !== '' || (login.vmss_name ?? '') !== ''
    return (
      isMachine &&
      role.bound_subscription_ids.includes(login.subscription_id) &&
      role.bound_resource_groups.includes(login.resource_group_name)
    )
  }
}
