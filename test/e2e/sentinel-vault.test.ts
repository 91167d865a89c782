import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { Places, sampleProcesses, sentinel } from '../support/sentinel.ts'
import { freePort, serve } from '../support/serve.ts'
import { issue, newAuthority } from '../support/vault-double-pki.ts'
import { must, vaultServers, type VaultServer } from '../support/vault-server.ts'

// What `sentinel.test.ts` does, for everything secret that goes to a Vault or comes from one.

const SECRETS = {
  value: sentinel('value'),
  broken: sentinel('broken'),
  token: sentinel('token'),
  strangeToken: sentinel('strange-token'),
  password: sentinel('password'),
  wrongPassword: sentinel('wrong-password'),
  secretId: sentinel('secret-id'),
  wrapped: sentinel('wrapped'),
  jwt: sentinel('jwt'),
  awsKey: sentinel('aws-key'),
  webIdentity: sentinel('web-identity'),
  googleKey: sentinel('google-key'),
  federated: sentinel('federated'),
  appHeader: sentinel('app-header'),
  serviceAccount: sentinel('service-account'),
}

/** A busy machine has much to start and to ask. */
const PATIENTLY = { withinMs: 45_000 }

/** What a template does with a secret that makes it fail. */
const FAILURES: Readonly<Record<string, string>> = {
  'parse-json': '{{ ref "vault://secret/app#broken" | parseJSON }}',
  'no-field': '{{ ref "vault://secret/app#no.such" }}',
  'deeper-field': '{{ ref "vault://secret/app#value.deeper" }}',
  'missing-key': '{{ (secret "secret/app").Nothing }}',
  'as-path': '{{ ref (printf "vault://%s" (ref "vault://secret/app#value")) }}',
  'as-list': '{{ secret (ref "vault://secret/app#value") (ref "vault://secret/app#value") }}',
  'as-write': '{{ secret "transit/decrypt/k" (printf "ciphertext=%s" (ref "vault://secret/app#value")) }}',
  'as-certificate':
    '{{ pkiCert "transit/encrypt/k" (printf "plaintext=%s" (ref "vault://secret/app#value" | base64Encode)) }}',
  'parse-int': '{{ ref "vault://secret/app#value" | parseInt }}',
}

/** Providers whose log-in, or whose server, fails. */
const LOGINS = [
  'stranger',
  'userpass',
  'ldap',
  'approle',
  'unwrapped',
  'jwt',
  'kubernetes',
  'cert',
  'aws',
  'web-identity',
]
/** What a server says back to us all that it was told with; 200 is no JSON then. */
const STATUSES = [200, 400, 403, 404, 412, 429, 500, 503]
const ECHOED = STATUSES.flatMap(status => [`echoed-${status}`, `echoed-login-${status}`])
const BROKEN = [...LOGINS, 'gcp', 'azure', 'redirected', ...ECHOED, 'down', 'cut']

/** A credential with a lease. */
const LEASED = '{{ with secret "auth/token/create" "ttl=1h" "policies=default" }}{{ .Auth.ClientToken }}{{ end }}'

async function prepare(server: VaultServer): Promise<void> {
  const { value, broken, token, password } = SECRETS
  const data = { value, broken: `{"password": ${JSON.stringify(broken)}, oops` }
  await eventually(() => must(server, 'POST', 'secret/data/app', { data }))
  await must(server, 'POST', 'sys/mounts/transit', { type: 'transit' })
  await must(server, 'POST', 'transit/keys/k', {})
  await must(server, 'POST', 'auth/token/create', { id: token, policies: ['root'], ttl: '1h' })
  for (const type of ['userpass', 'approle', 'jwt']) await must(server, 'POST', `sys/auth/${type}`, { type })
  const policy = JSON.stringify({ path: { 'secret/*': { capabilities: ['read'] } } })
  await must(server, 'POST', 'sys/policies/acl/reads', { policy })
  await must(server, 'POST', 'auth/userpass/users/anna', { password, token_policies: ['reads'] })
}

function configurationOf(root: string, server: VaultServer, others: Readonly<Record<string, string>>, admin: number) {
  const file = (name: string) => join(root, 'credentials', name)
  const at = (address: string, auth: object) => ({ type: 'vault', address, auth, timeout: '2s', poll: '200ms' })
  const vault = (auth: object) => at(server.url, auth)
  const anna = (password: string) => ({ method: 'userpass', username: 'anna', password })
  const token = { method: 'token', token: '${TOKEN}' }
  const role = { method: 'approle', roleId: 'a-role', secretIdFile: file('secret-id') }
  const bundle = (name: string, content: string) => ({
    volume: join(root, 'volumes', name),
    files: [{ path: 'x', content }],
  })
  return {
    providers: {
      vault: { ...vault(token), default: true },
      anna: vault(anna('${PASSWORD}')),
      stranger: vault({ method: 'token', file: file('token') }),
      userpass: vault(anna(`file:${file('password')}`)),
      ldap: vault({ ...anna(`file:${file('password')}`), method: 'ldap', mount: 'userpass' }),
      approle: vault(role),
      unwrapped: vault({ ...role, secretIdFile: file('wrapped'), wrapped: true }),
      jwt: vault({ method: 'jwt', role: 'a', file: file('jwt') }),
      kubernetes: vault({ method: 'kubernetes', role: 'a', tokenFile: file('service-account') }),
      cert: { ...vault({ method: 'cert' }), tls: { certificate: file('client.pem'), key: file('client.key') } },
      aws: at(others.echo as string, {
        method: 'aws',
        accessKeyId: 'AKIA',
        secretAccessKey: '${AWS_KEY}',
        sessionToken: '${AWS_KEY}',
      }),
      'web-identity': vault({ method: 'aws' }),
      gcp: vault({ method: 'gcp', type: 'iam', role: 'a', keyFile: file('google-key') }),
      azure: vault({ method: 'azure', role: 'a' }),
      redirected: at(others.redirecting as string, token),
      ...Object.fromEntries(STATUSES.map(status => [`echoed-${status}`, at(`${others.echo}/${status}`, token)])),
      ...Object.fromEntries(
        STATUSES.map(status => [`echoed-login-${status}`, at(`${others.echo}/${status}`, anna('${PASSWORD}'))]),
      ),
      down: at(others.down as string, token),
      cut: at(others.cutting as string, token),
    },
    bundles: {
      good: {
        ...bundle('good', '{{ ref "vault://secret/app#value" }}{{ ref "anna://secret/app#value" }}'),
        checks: [{ command: ['sh', '-c', 'sleep 0.3'] }],
        hooks: [{ command: ['sh', '-c', 'sleep 0.5; exit 1'] }],
      },
      sink: bundle('sink', `{{ vaultToken }} {{ vaultToken "wrap=5m" }} {{ ref "anna://#token" }} ${LEASED}`),
      forbidden: bundle('forbidden', '{{ ref "anna://sys/mounts" }}'),
      ...Object.fromEntries(Object.entries(FAILURES).map(([name, content]) => [name, bundle(name, content)])),
      ...Object.fromEntries(BROKEN.map(name => [name, bundle(name, `{{ ref "${name}://secret/app#value" }}`)])),
    },
    state: join(root, 'state'),
    admin: { listen: `127.0.0.1:${admin}` },
  }
}

/** Writes what log-ins read; gives the key of the client's certificate. */
function writeCredentials(root: string): string {
  const { strangeToken, wrongPassword, secretId, wrapped, jwt, webIdentity, federated, serviceAccount } = SECRETS
  const client = issue(newAuthority('clients'), { names: ['web'], seconds: 600 })
  const googleKey = JSON.stringify({ private_key_id: 'a', client_email: 'b', private_key: SECRETS.googleKey })
  const files = {
    token: strangeToken,
    password: wrongPassword,
    'secret-id': secretId,
    wrapped,
    jwt,
    'google-key': googleKey,
    'web-identity': webIdentity,
    federated,
    'service-account': serviceAccount,
    'client.pem': client.certificate,
    'client.key': client.key,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'credentials', name), `${text}\n`)
  return client.key
}

async function setScene(server: VaultServer) {
  const root = scratch()
  mkdirSync(join(root, 'credentials'))
  const clientKey = writeCredentials(root)
  const thief: string[] = []
  const heard: string[] = []
  const other = await serve((request, response) => {
    thief.push(`${request.url} ${JSON.stringify(request.headers)}`)
    response.writeHead(200).end('{}')
  })
  const redirecting = await serve((request, response) => {
    response.writeHead(307, { location: `${other.url.replace('127.0.0.1', 'localhost')}${request.url}` }).end()
  })
  // A server that says back to us all that it was told, and fails.
  const echo = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const errors = [`${request.url} ${JSON.stringify(request.headers)} ${body}`]
      heard.push(...errors)
      const status = Number(/^\/(\d{3})\//.exec(request.url ?? '')?.[1] ?? 400)
      response.writeHead(status).end(status === 200 ? `<p>${errors}` : JSON.stringify({ errors, warnings: errors }))
    })
  })
  const cutting = await serve((request, response) => {
    heard.push(JSON.stringify(request.headers))
    response.destroy()
  })
  const admin = await freePort()
  const down = `http://127.0.0.1:${await freePort()}`
  const others = { redirecting: redirecting.url, echo: echo.url, cutting: cutting.url, down }
  const config = join(root, 'outrigger.yaml')
  writeFileSync(config, JSON.stringify(configurationOf(root, server, others, admin), undefined, 1))
  const clouds = {
    AWS_KEY: SECRETS.awsKey,
    AWS_WEB_IDENTITY_TOKEN_FILE: join(root, 'credentials', 'web-identity'),
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/web',
    AWS_ENDPOINT_URL_STS: echo.url,
    AZURE_FEDERATED_TOKEN_FILE: join(root, 'credentials', 'federated'),
    AZURE_TENANT_ID: 'tenant',
    AZURE_CLIENT_ID: 'client',
    AZURE_AUTHORITY_HOST: echo.url,
  }
  const environment = {
    TOKEN: SECRETS.token,
    PASSWORD: SECRETS.password,
    ...clouds,
    DEBUG: '*',
    TMPDIR: root,
    HOME: root,
  }
  const { AZURE_FEDERATED_TOKEN_FILE: _, ...rest } = environment
  /** The same for an app of Azure's, which has no workload's identity. */
  const ofApp = { ...rest, IDENTITY_ENDPOINT: `${echo.url}/401/msi`, IDENTITY_HEADER: SECRETS.appHeader }
  return { root, config, admin, environment, ofApp, thief, heard, clientKey }
}

describe.each(vaultServers())('%s', (_, start) => {
  test('a secret is nowhere but where it has to be, whatever goes wrong', { timeout: 180_000 }, async () => {
    const server = await start()
    onTestFinished(() => server.close())
    await prepare(server)
    const { root, config, admin, environment, ofApp, thief, heard, clientKey } = await setScene(server)
    const places = new Places()

    const { child, stderr, ended } = startBuilt(['run', '-c', config, '--log-level', 'debug'], {
      directory: root,
      environment,
    })
    const sampling = sampleProcesses(child.pid as number)
    const names = [...Object.keys(FAILURES), ...BROKEN, 'forbidden']
    const isSaid = (name: string) => stderr().includes(`"bundle":"${name}"`) || stderr().includes(`"${name}://`)
    await eventually(() => expect(names.filter(name => !isSaid(name))).toEqual([]), PATIENTLY)
    const isGood = () =>
      expect(readFileSync(join(root, 'volumes', 'good', 'x'), 'utf8')).toBe(SECRETS.value + SECRETS.value)
    await eventually(isGood, PATIENTLY)
    const sunk = await eventually(() => readFileSync(join(root, 'volumes', 'sink', 'x'), 'utf8').split(' '), PATIENTLY)
    expect(sunk[0]).toBe(SECRETS.token)
    await eventually(() => expect(stderr()).toContain('"hook failed"'), PATIENTLY)
    for (const path of ['readyz', 'startupz', 'livez']) {
      places.add(path, await (await fetch(`http://127.0.0.1:${admin}/${path}`)).text())
    }
    child.kill('SIGTERM')
    const { stdout } = await ended
    const samples = sampling.stop()
    // With the tokens and leases that were kept.
    const once = await runBuilt(['once', '-c', config, '--timeout', '1s', '--log-level', 'debug'], {
      environment: ofApp,
    })
    places.add('what run wrote', stdout + stderr())
    places.add('what once wrote', once.stdout + once.stderr)
    for (const verb of ['render', 'explain']) {
      const shown = await runBuilt([verb, '-c', config, '--timeout', '1s', 'forbidden'], { environment })
      places.add(`what ${verb} wrote`, shown.stdout + shown.stderr)
    }
    for (const { pid, arguments: line } of samples) places.add(`the arguments of process ${pid}`, line)
    const children = samples.filter(({ pid }) => pid !== child.pid)
    for (const { arguments: line, environment } of children)
      places.add(`the environment of ${line}`, environment.join('\n'))
    places.addFiles(root, path => /^(?:credentials|volumes|outrigger\.yaml)$/.test(path.slice(root.length + 1)))

    const [, wrapping = '', loggedIn = '', leased = ''] = sunk
    const keyLine = /PRIVATE KEY-----\n(.+)\n/.exec(clientKey)?.[1] ?? ''
    const made = { wrapping, loggedIn, leased, keyLine }
    for (const secret of Object.values(made)) expect(secret.length).toBeGreaterThan(20)
    const found = Object.entries({ ...SECRETS, ...made }).flatMap(([name, secret]) =>
      places.find(secret).map(place => `${name}: ${place}`),
    )
    expect(found).toEqual([])
    expect(thief).toEqual([])
    // That nothing was found proves something only where the secrets really went.
    for (const text of ['sleep 0.3', 'sleep 0.5']) expect(children.map(each => each.arguments).join()).toContain(text)
    for (const secret of [SECRETS.token, SECRETS.password, SECRETS.appHeader]) {
      expect(heard.join('\n')).toContain(JSON.stringify(secret).slice(1, -1))
    }
    for (const secret of [SECRETS.webIdentity, SECRETS.federated]) {
      expect(heard.join('\n')).toContain(new URLSearchParams({ x: secret }).toString().slice('x='.length))
    }
  })
})
