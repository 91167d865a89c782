/** The log-in methods of the double. */
import { randomUUID, X509Certificate } from 'node:crypto'
import { claimsOf } from './jwt.ts'
import { Aws, Azure, Gcp } from './vault-double-clouds.ts'
import type { Answer, Call } from './vault-double-engines.ts'
import type { Json } from './vault-server.ts'

/** Whom a login is for; undefined where the credentials are not good. */
export interface Granted {
  readonly role: Json
  readonly policies: readonly string[]
}

export interface LoginCall extends Call {
  /** The certificate of the client, of a connection with one. */
  readonly certificate: Uint8Array | undefined
}

export type AuthAnswer = Answer | { readonly granted: Granted | undefined }

export interface Auth {
  answer(call: LoginCall): AuthAnswer | Promise<AuthAnswer>
}

export const auths = {
  approle: (): Auth => new AppRole(),
  userpass: (): Auth => new Passwords('users'),
  /** Its users are written as its own; a real one asks a directory. */
  ldap: (): Auth => new Passwords('users'),
  jwt: (): Auth => new Jwt(),
  kubernetes: (): Auth => new Kubernetes(),
  cert: (): Auth => new Certificates(),
  aws: (): Auth => new Aws(),
  gcp: (): Auth => new Gcp(),
  azure: (): Auth => new Azure(),
}

const WRITTEN: Answer = { status: 204 }

function found(data: Json): Answer {
  return { status: 200, body: { request_id: randomUUID(), lease_id: '', renewable: false, lease_duration: 0, data } }
}

function granted(role: Json): AuthAnswer {
  return { granted: role === undefined ? undefined : { role, policies: role.token_policies ?? [] } }
}

class AppRole implements Auth {
  readonly #roles = new Map<string, Json>()
  readonly #secretIds = new Map<string, string>()

  answer({ path, body }: LoginCall): AuthAnswer {
    const [area, name = '', part] = path.split('/')
    const known = this.#roles.get(name)
    if (area === 'login') {
      const role = [...this.#roles.values()].find(({ id }) => id === body.role_id)
      return granted(role !== undefined && this.#secretIds.get(body.secret_id) === role.id ? role : undefined)
    }
    if (part === undefined) this.#roles.set(name, { ...known, ...body, id: known?.id ?? randomUUID() })
    if (part === 'role-id') return found({ role_id: known.id })
    if (part !== 'secret-id') return WRITTEN
    const secret_id = randomUUID()
    this.#secretIds.set(secret_id, known.id)
    return found({ secret_id, secret_id_accessor: randomUUID(), secret_id_ttl: 0 })
  }
}

class Passwords implements Auth {
  readonly #users = new Map<string, Json>()
  readonly #area: string

  constructor(area: string) {
    this.#area = area
  }

  answer({ path, body }: LoginCall): AuthAnswer {
    const [area, name = ''] = path.split('/')
    if (area === this.#area) {
      this.#users.set(name, body)
      return WRITTEN
    }
    const user = this.#users.get(name)
    return granted(user?.password === body.password ? user : undefined)
  }
}

class Jwt implements Auth {
  readonly #roles = new Map<string, Json>()
  #keys: readonly string[] = []

  answer({ path, body }: LoginCall): AuthAnswer {
    const [area, name = ''] = path.split('/')
    if (area === 'config') this.#keys = body.jwt_validation_pubkeys
    if (area === 'role') this.#roles.set(name, body)
    if (area !== 'login') return WRITTEN
    const role = this.#roles.get(body.role)
    return granted(role !== undefined && this.#isGood(String(body.jwt), role) ? role : undefined)
  }

  #isGood(jwt: string, { bound_audiences }: Json): boolean {
    return bound_audiences.includes(claimsOf(jwt, this.#keys)?.aud)
  }
}

class Kubernetes implements Auth {
  readonly #roles = new Map<string, Json>()
  #config: Json

  async answer({ path, body }: LoginCall): Promise<AuthAnswer> {
    const [area, name = ''] = path.split('/')
    if (area === 'config') this.#config = body
    if (area === 'role') this.#roles.set(name, body)
    if (area !== 'login') return WRITTEN
    const role = this.#roles.get(body.role)
    const response = await fetch(`${this.#config.kubernetes_host}/apis/authentication.k8s.io/v1/tokenreviews`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#config.token_reviewer_jwt}` },
      body: JSON.stringify({ spec: { token: body.jwt } }),
    })
    const { status } = (await response.json()) as Json
    const [, , namespace, account] = String(status.user?.username).split(':')
    const isBound =
      role?.bound_service_account_names.includes(account) === true &&
      role.bound_service_account_namespaces.includes(namespace)
    return granted(status.authenticated === true && isBound ? role : undefined)
  }
}

class Certificates implements Auth {
  readonly #roles = new Map<string, Json>()

  answer({ path, body, certificate }: LoginCall): AuthAnswer {
    const [area, name = ''] = path.split('/')
    if (area === 'certs') {
      this.#roles.set(name, body)
      return WRITTEN
    }
    const own = certificate === undefined ? undefined : new X509Certificate(certificate)
    const found = [...this.#roles].find(
      ([role, { certificate: ca }]) =>
        (body?.name === undefined || body.name === role) &&
        own?.checkIssued(new X509Certificate(ca)) === true &&
        own.verify(new X509Certificate(ca).publicKey),
    )
    return granted(found?.[1])
  }
}
