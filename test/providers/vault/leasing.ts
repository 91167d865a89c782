import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rabbitMqApi, type RabbitMqApi } from '../../support/rabbitmq-api.ts'
import { scratch } from '../../support/scratch.ts'
import { call, must, type VaultServer } from '../../support/vault-server.ts'

/** What a server is set up with: how long the token of a login and a lease last, in seconds. */
export interface LeasingOptions {
  /** @default an hour */
  readonly tokenSeconds?: number
  /** @default without an end */
  readonly tokenMaxSeconds?: number
  /** @default an hour */
  readonly leaseSeconds?: number
}

/** A server with a role to log in as, and an engine whose credentials have leases that are renewed: users of RabbitMQ. */
export class Leasing {
  readonly server: VaultServer
  /** For the configuration. */
  readonly auth: { readonly method: 'approle'; readonly roleId: string; readonly secretIdFile: string }
  readonly rabbit: RabbitMqApi

  private constructor(server: VaultServer, auth: Leasing['auth'], rabbit: RabbitMqApi) {
    this.server = server
    this.auth = auth
    this.rabbit = rabbit
  }

  static async on(server: VaultServer, options: LeasingOptions = {}): Promise<Leasing> {
    const { tokenSeconds = 3_600, tokenMaxSeconds = 0, leaseSeconds = 3_600 } = options
    const post = (path: string, body: object) => must(server, 'POST', path, body)
    const rabbit = await rabbitMqApi()
    await post('sys/mounts/rabbit', { type: 'rabbitmq' })
    const connection = { connection_uri: rabbit.url, username: 'a', password: 'b', verify_connection: false }
    await post('rabbit/config/connection', connection)
    await post('rabbit/config/lease', { ttl: leaseSeconds, max_ttl: 36_000 })
    await post('rabbit/roles/app', { vhosts: '{"/":{"configure":".*","write":".*","read":".*"}}' })
    await post('sys/auth/approle', { type: 'approle' })
    const role = { token_policies: ['app'], token_ttl: tokenSeconds, token_explicit_max_ttl: tokenMaxSeconds }
    await post('auth/approle/role/app', role)
    const { data } = await must(server, 'GET', 'auth/approle/role/app/role-id')
    const { data: secret } = await post('auth/approle/role/app/secret-id', {})
    const secretIdFile = join(scratch(), 'secret-id')
    writeFileSync(secretIdFile, secret.secret_id)
    const leasing = new Leasing(server, { method: 'approle', roleId: data.role_id, secretIdFile }, rabbit)
    await leasing.permit('rabbit/creds/*', 'secret/*')
    return leasing
  }

  /** Lets the role read these paths, and no others. */
  async permit(...paths: readonly string[]): Promise<void> {
    const rules = Object.fromEntries(paths.map(path => [path, { capabilities: ['read', 'list'] }]))
    const leases = {
      'sys/leases/renew': { capabilities: ['update'] },
      'sys/leases/revoke': { capabilities: ['update'] },
    }
    const policy = JSON.stringify({ path: { ...rules, ...leases } })
    await must(this.server, 'POST', 'sys/policies/acl/app', { policy })
  }

  /** Has tokens that a login gets from now on read these paths as well. */
  async permitLater(...paths: readonly string[]): Promise<void> {
    const rules = Object.fromEntries(paths.map(path => [path, { capabilities: ['read'] }]))
    await must(this.server, 'POST', 'sys/policies/acl/later', { policy: JSON.stringify({ path: rules }) })
    await must(this.server, 'POST', 'auth/approle/role/app', { token_policies: ['app', 'later'] })
  }

  /** The names of the leases that there are on the server. */
  async leases(): Promise<readonly string[]> {
    const { body } = await call(this.server, 'GET', 'sys/leases/lookup/rabbit/creds/app?list=1')
    return (body?.data?.keys ?? []) as readonly string[]
  }

  /** The accessors of the tokens that logins got. */
  async tokens(): Promise<readonly string[]> {
    const { data } = await must(this.server, 'GET', 'auth/token/accessors?list=1')
    return data.keys
  }
}
