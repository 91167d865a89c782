/** Log-ins that trust a cloud, on the double, with a double of what clouds tell their machines. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import type { LoginWorld } from '../../../providers/vault/auth/method.ts'
import { vaultOptions } from '../../../providers/vault/options.ts'
import { CloudDouble } from '../../support/cloud-double.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { freePort } from '../../support/free-port.ts'
import { noteIn } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { serve } from '../../support/serve.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { must, type Json } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

type Environment = Readonly<Record<string, string>>

let server: VaultDouble
let cloud: CloudDouble
beforeAll(async () => {
  server = await VaultDouble.start()
  await post('sys/policies/acl/reads', { policy: JSON.stringify({ path: { 'secret/*': { capabilities: ['read'] } } }) })
  await post('secret/data/a', { data: { v: '1' } })
})
afterAll(() => server.close())
beforeEach(async () => void (cloud = await CloudDouble.start()))

const post = (path: string, body: Json) => must(server, 'POST', path, body)
let count = 0

async function mounted(type: string, config: Json): Promise<string> {
  const mount = `${type}${count++}`
  await post(`sys/auth/${mount}`, { type })
  await post(`auth/${mount}/config`, config)
  return mount
}

async function read(auth: object, environment: Environment = {}): Promise<unknown> {
  return await (await Bench.open(server, { auth }, { environment })).ask('ref', 'secret/a', 'v')
}

/** The failure of a login, which must show none of these. */
async function refusal(auth: object, environment: Environment, ...hidden: readonly string[]): Promise<Json> {
  const error = await read(auth, environment).then(
    () => expect.unreachable(),
    (error: Json) => error,
  )
  for (let at = error; at !== undefined; at = at.cause) {
    for (const text of hidden) expect(`${at.message} ${at.hint}`).not.toContain(text)
  }
  return error
}

function file(text: string): string {
  const path = join(scratch(), 'file')
  writeFileSync(path, text)
  return path
}

describe('aws', () => {
  const ARN = 'arn:aws:iam::123456789012:role/web'
  const OWN = { id: 'AKIAOWN', secret: 'own/secret+key' }

  async function setUp(more: Json = {}) {
    const { AccessKeyId, SecretAccessKey, Token } = cloud.awsKeys
    const keys = {
      [AccessKeyId]: { secret: SecretAccessKey, token: Token, arn: ARN },
      [OWN.id]: { secret: OWN.secret, arn: ARN },
    }
    const mount = await mounted('aws', { keys, ...more })
    await post(`auth/${mount}/role/web`, {
      auth_type: 'iam',
      bound_iam_principal_arn: [ARN],
      token_policies: ['reads'],
    })
    return { method: 'aws', mount, role: 'web' }
  }

  const instance = () => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: `${cloud.url}/` })

  test('keys of the configuration, for one server and one region', async () => {
    const keys = { accessKeyId: OWN.id, secretAccessKey: `file:${file(`${OWN.secret}\n`)}` }
    const auth = { ...(await setUp({ iam_server_id_header_value: 'vault.example.org' })), ...keys }
    expect(await read({ ...auth, serverId: 'vault.example.org' })).toBe('1')
    expect(await read({ ...auth, serverId: 'vault.example.org', region: 'eu-west-1' })).toBe('1')
    expect(await refusal({ ...auth, serverId: 'vault.example.com' }, {}, OWN.secret)).toMatchObject({
      code: 'unauthenticated',
    })
    expect(await refusal(auth, {}, OWN.secret)).toMatchObject({ code: 'unauthenticated' })
    expect(await refusal({ ...auth, serverId: 'vault.example.org', secretAccessKey: 'x' }, {})).toMatchObject({
      code: 'unauthenticated',
    })
  })

  test('keys of the environment', async () => {
    const { AccessKeyId, SecretAccessKey, Token } = cloud.awsKeys
    const environment = { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey }
    const auth = await setUp()
    expect(await read(auth, { ...environment, AWS_SESSION_TOKEN: Token, ...instance() })).toBe('1')
    expect(cloud.seen).toEqual([])
    expect(await refusal(auth, { AWS_ACCESS_KEY_ID: AccessKeyId })).toMatchObject({ code: 'bad-config' })
  })

  test('keys of a shared credentials file, of a profile', async () => {
    const auth = await setUp()
    const path = file(`[web]\naws_access_key_id = ${OWN.id}\naws_secret_access_key = ${OWN.secret}\n`)
    const environment = { AWS_SHARED_CREDENTIALS_FILE: path, AWS_PROFILE: 'web', ...instance() }
    expect(await read(auth, environment)).toBe('1')
    expect(cloud.seen).toEqual([])
    expect(await refusal(auth, { ...environment, AWS_PROFILE: 'other' }, OWN.secret)).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('other'),
    })
    // Nobody asked for the file, and it has no default: so the instance is asked.
    expect(await read(auth, { ...environment, AWS_PROFILE: '' })).toBe('1')
  })

  test('a web identity, whose file is read again at every login', async () => {
    const auth = await setUp()
    const path = file('')
    const environment = { AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ARN, AWS_ENDPOINT_URL_STS: cloud.url }
    const ended = cloud.identity({ sub: 'web', exp: 1 })
    writeFileSync(path, ended)
    const bench = await Bench.open(server, { auth }, { environment })
    await expect(bench.ask('ref', 'secret/a', 'v')).rejects.toMatchObject({ code: 'unauthenticated' })
    writeFileSync(path, cloud.identity({ sub: 'web' }))
    await eventually(async () => expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1'))
    expect(new URLSearchParams(cloud.seen[0]?.body).get('RoleSessionName')).toBe('outrigger')
    writeFileSync(path, ended)
    expect(await refusal(auth, environment, ended)).toMatchObject({ message: expect.stringContaining('answers 400') })
  })

  test('a container', async () => {
    const auth = await setUp()
    const full = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${cloud.url}/container/keys` }
    const token = `${cloud.containerToken}\n`
    expect(await read(auth, { ...full, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file(token) })).toBe('1')
    expect(await read(auth, { ...full, AWS_CONTAINER_AUTHORIZATION_TOKEN: cloud.containerToken })).toBe('1')
    const wrong = { ...full, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'wrong-token' }
    expect(await refusal(auth, wrong, 'wrong-token')).toMatchObject({ message: expect.stringContaining('answers 401') })
    const elsewhere = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.org/keys' }
    expect(await refusal(auth, elsewhere)).toMatchObject({ code: 'bad-config' })
    const relative = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '@127.0.0.1/keys' }
    expect(await refusal(auth, relative)).toMatchObject({ code: 'bad-config' })
  })

  test("an instance's role, in a session", async () => {
    const auth = await setUp()
    expect(await read(auth, instance())).toBe('1')
    expect(cloud.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/web',
    ])
    cloud.fault = ({ path }) => (path.endsWith('/web') ? { body: JSON.stringify({ Code: 'Failed' }) } : undefined)
    expect(await refusal(auth, instance())).toMatchObject({ code: 'unauthenticated' })
  })

  test("keys are taken from the first that is set up, in the order of AWS's own libraries", async () => {
    const auth = await setUp()
    const { AccessKeyId, SecretAccessKey, Token } = cloud.awsKeys
    const path = file(`[default]\naws_access_key_id = ${OWN.id}\naws_secret_access_key = ${OWN.secret}\n`)
    const web = {
      AWS_WEB_IDENTITY_TOKEN_FILE: file(cloud.identity({})),
      AWS_ROLE_ARN: ARN,
      AWS_ENDPOINT_URL: cloud.url,
    }
    const container = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${cloud.url}/container/keys`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: cloud.containerToken,
    }
    const sources: readonly (readonly [Environment, string | undefined])[] = [
      [{ AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_SESSION_TOKEN: Token }, undefined],
      [web, '/'],
      [{ AWS_SHARED_CREDENTIALS_FILE: path }, undefined],
      [container, '/container/keys'],
      [instance(), '/latest/api/token'],
    ]
    for (const [index, [, asked]] of sources.entries()) {
      cloud.seen.length = 0
      const environment = Object.assign({}, ...sources.slice(index).map(([source]) => source))
      expect(await read(auth, environment)).toBe('1')
      expect(cloud.seen[0]?.path).toBe(asked)
    }
  })

  test('nothing at all is said with where it was looked for', async () => {
    const auth = await setUp()
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${await freePort()}` }
    expect(await refusal(auth, environment)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("the instance's metadata"),
      hint: expect.stringContaining('AWS_WEB_IDENTITY_TOKEN_FILE'),
    })
    expect(await refusal(auth, { AWS_EC2_METADATA_DISABLED: 'true' })).toMatchObject({ code: 'unauthenticated' })
  })
})

describe('gcp', () => {
  const EMAIL = 'web@shop.iam.gserviceaccount.com'

  async function setUp(role: Json) {
    const mount = await mounted('gcp', { keys: { 'key-1': cloud.publicKey, '': cloud.publicKey } })
    await post(`auth/${mount}/role/web`, { name: 'web', token_policies: ['reads'], ...role })
    return { method: 'gcp', mount, type: role.type as string, role: 'web' }
  }

  test('iam: a JWT that the key of a service account signs, read again at every login', async () => {
    const auth = await setUp({ type: 'iam', bound_service_accounts: [EMAIL] })
    const privateKey = cloud.key.export({ format: 'pem', type: 'pkcs8' })
    const key = { type: 'service_account', private_key_id: 'key-1', private_key: privateKey, client_email: EMAIL }
    const path = file(JSON.stringify({ ...key, client_email: 'other' }))
    const bench = await Bench.open(server, { auth }, { environment: { GOOGLE_APPLICATION_CREDENTIALS: path } })
    await expect(bench.ask('ref', 'secret/a', 'v')).rejects.toMatchObject({ code: 'unauthenticated' })
    writeFileSync(path, JSON.stringify(key))
    await eventually(async () => expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1'))
    expect(await read({ ...auth, keyFile: path })).toBe('1')

    const damaged = file(JSON.stringify({ ...key, private_key: 'MIIEowIBAAKCAQEA' }))
    expect(await refusal({ ...auth, keyFile: damaged }, {}, 'MIIEow')).toMatchObject({ code: 'unauthenticated' })
    const cut = file('{"private_key": "MIIEow')
    expect(await refusal({ ...auth, keyFile: cut }, {}, 'MIIEow')).toMatchObject({ code: 'invalid-data' })
    expect(await refusal(auth, {})).toMatchObject({ hint: expect.stringContaining('GOOGLE_APPLICATION_CREDENTIALS') })
  })

  test('gce: the JWT that the metadata give a machine', async () => {
    const auth = await setUp({ type: 'gce', bound_zones: ['europe-west1-b'] })
    const environment = { GCE_METADATA_HOST: new URL(cloud.url).host }
    expect(await read(auth, environment)).toBe('1')
    cloud.fault = () => ({ body: '<html>sign in to this network</html>' })
    expect(await refusal(auth, environment, 'sign in')).toMatchObject({ code: 'invalid-data' })
    expect(await refusal(auth, { GCE_METADATA_HOST: 'a/b' })).toMatchObject({ code: 'bad-config' })
    const nobody = { GCE_METADATA_HOST: `127.0.0.1:${await freePort()}` }
    expect(await refusal(auth, nobody)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("the instance's metadata"),
    })
  })
})

describe('azure', () => {
  const RESOURCE = 'https://vault.example.org'

  async function setUp(role: Json) {
    const mount = await mounted('azure', { keys: [cloud.publicKey], resource: RESOURCE })
    await post(`auth/${mount}/role/web`, { token_policies: ['reads'], ...role })
    return { method: 'azure', mount, role: 'web', resource: RESOURCE }
  }

  test('a token of the machine, and which machine it is', async () => {
    const auth = await setUp({ bound_subscription_ids: ['sub-1'], bound_resource_groups: ['shop'] })
    const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: cloud.url }
    expect(await read(auth, environment)).toBe('1')
    expect(cloud.seen.map(({ path, query }) => `${path} ${query.get('api-version')}`)).toEqual([
      '/metadata/identity/oauth2/token 2018-02-01',
      '/metadata/instance 2021-05-01',
    ])
    expect(await refusal({ ...auth, resource: 'https://other' }, environment)).toMatchObject({
      code: 'unauthenticated',
    })
    cloud.fault = () => ({ status: 400, body: '{"error": "invalid_request"}' })
    expect(await refusal(auth, environment)).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining("the machine's metadata: answers 400"),
    })
    cloud.fault = () => ({ status: 503 })
    expect(await refusal(auth, environment)).toMatchObject({ code: 'unavailable' })
  })

  test('a token of one identity of the machine', async () => {
    const auth = await setUp({ bound_service_principal_ids: ['user of-web'] })
    const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: cloud.url }
    expect(await read({ ...auth, clientId: 'of-web' }, environment)).toBe('1')
    expect(await refusal(auth, environment)).toMatchObject({ code: 'unauthenticated' })
  })

  test("a token of an app's identity, beside which it has no machine", async () => {
    const auth = await setUp({ bound_service_principal_ids: ['app'] })
    const app = { IDENTITY_ENDPOINT: `${cloud.url}/msi/token`, IDENTITY_HEADER: cloud.appHeader }
    const machine = { AZURE_POD_IDENTITY_AUTHORITY_HOST: cloud.url }
    expect(await read(auth, { ...app, ...machine })).toBe('1')
    expect(cloud.seen.map(({ path, query }) => `${path} ${query.get('api-version')}`)).toEqual([
      '/msi/token 2019-08-01',
    ])
    expect(await refusal({ ...auth, clientId: 'of-web' }, app)).toMatchObject({ code: 'unauthenticated' })
    const wrong = { ...app, IDENTITY_HEADER: 'wrong-header' }
    expect(await refusal(auth, wrong, 'wrong-header')).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining("the app's identity: answers 401"),
    })
    const far = { ...app, IDENTITY_ENDPOINT: 'http://identity.example.org/msi/token' }
    expect(await refusal(auth, far, cloud.appHeader)).toMatchObject({ code: 'bad-config' })
    // What has no header of its own is no app: a server with Azure Arc, say.
    cloud.seen.length = 0
    await refusal(auth, { IDENTITY_ENDPOINT: app.IDENTITY_ENDPOINT, ...machine })
    expect(cloud.seen[0]?.path).toBe('/metadata/identity/oauth2/token')
  })

  test("one of an app's identities", async () => {
    const auth = await setUp({ bound_service_principal_ids: ['app of-web'] })
    const app = { IDENTITY_ENDPOINT: `${cloud.url}/msi/token`, IDENTITY_HEADER: cloud.appHeader }
    expect(await read({ ...auth, clientId: 'of-web' }, app)).toBe('1')
    expect(await refusal(auth, app)).toMatchObject({ code: 'unauthenticated' })
  })

  test("a workload's identity, whose file is read again at every login", async () => {
    const auth = await setUp({ bound_service_principal_ids: ['app-1'] })
    const path = file(cloud.identity({ aud: 'somebody else' }))
    const federated = { AZURE_FEDERATED_TOKEN_FILE: path, AZURE_AUTHORITY_HOST: `${cloud.url}/` }
    const environment = { ...federated, AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'app-1' }
    const bench = await Bench.open(server, { auth }, { environment })
    await expect(bench.ask('ref', 'secret/a', 'v')).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining("the workload's identity: answers 401"),
    })
    const token = cloud.identity({ aud: 'api://AzureADTokenExchange' })
    writeFileSync(path, `${token}\n`)
    await eventually(async () => expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1'))
    expect(await refusal(auth, federated, token)).toMatchObject({ code: 'bad-config' })
    const plain = { ...environment, AZURE_AUTHORITY_HOST: 'http://login.example.org' }
    expect(await refusal(auth, plain, token)).toMatchObject({ code: 'bad-config' })
  })
})

test('metadata that do not answer take five seconds of a login, not all of its time', async () => {
  let asked = 0
  const { url } = await serve(() => void asked++)
  const clock = new FakeClock()
  const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: url }
  const bench = await Bench.open(server, { auth: { method: 'azure', role: 'web' } }, { environment, clock })
  const failed = bench.ask('ref', 'secret/a', 'v').catch((error: unknown) => error)
  await eventually(() => expect(asked).toBe(1))
  await clock.advance(5_000)
  expect(await failed).toMatchObject({
    code: 'timeout',
    message: expect.stringContaining("the machine's metadata"),
  })
})

test('a token that a cloud was asked for is kept for the next process, as the same account', async () => {
  const mount = await mounted('azure', { keys: [cloud.publicKey], resource: 'https://vault' })
  for (const name of ['web', 'other']) {
    await post(`auth/${mount}/role/${name}`, { token_policies: ['reads'], bound_service_principal_ids: ['system'] })
  }
  const note = noteIn(new Map())
  const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: cloud.url }
  const next = async (role: string) => {
    const auth = { method: 'azure', mount, role, resource: 'https://vault' }
    const bench = await Bench.open(server, { auth }, { environment, note })
    expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1')
    return cloud.seen.length
  }
  const asked = await next('web')
  expect(await next('web')).toBe(asked)
  expect(await next('other')).toBeGreaterThan(asked)
})

test.each([
  ['aws', { method: 'aws', role: 'a' }, { AWS_ROLE_ARN: 'arn' }, 'arn'],
  ['aws with keys', { method: 'aws', accessKeyId: 'AKIA', secretAccessKey: 'never' }, {}, 'AKIA'],
  ['gcp on its machines', { method: 'gcp', type: 'gce', role: 'a' }, {}, 'gce'],
  ['azure', { method: 'azure', role: 'a' }, { AZURE_CLIENT_ID: 'client-1' }, 'client-1'],
  ['azure in a tenant', { method: 'azure', role: 'a' }, { AZURE_TENANT_ID: 'tenant-1' }, 'tenant-1'],
])('whom %s logs in as is known without a cloud', async (_, options, environment, shown) => {
  const { auth } = v.parse(vaultOptions, { auth: options })
  const account = await auth?.account?.({ environment } as unknown as LoginWorld)
  expect(account).toContain(shown)
  expect(account).not.toContain('never')
})
