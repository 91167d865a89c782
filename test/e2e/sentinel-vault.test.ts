import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { Places, sampleProcesses, sentinel } from '../support/sentinel.ts'
import { freePort, serve } from '../support/serve.ts'
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
}

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
const LOGINS = ['stranger', 'userpass', 'approle', 'unwrapped', 'jwt', 'aws', 'web-identity', 'gcp', 'azure']
const BROKEN = [...LOGINS, 'redirected', 'echoed', 'echoed-login', 'down']

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
  const token = { method: 'token', token: '${TOKEN}' }
  const role = { method: 'approle', roleId: 'a-role', secretIdFile: file('secret-id') }
  const bundle = (name: string, content: string) => ({
    volume: join(root, 'volumes', name),
    files: [{ path: 'x', content }],
  })
  return {
    providers: {
      vault: { ...vault(token), default: true },
      anna: vault({ method: 'userpass', username: 'anna', password: '${PASSWORD}' }),
      stranger: vault({ method: 'token', file: file('token') }),
      userpass: vault({ method: 'userpass', username: 'anna', password: `file:${file('password')}` }),
      approle: vault(role),
      unwrapped: vault({ ...role, secretIdFile: file('wrapped'), wrapped: true }),
      jwt: vault({ method: 'jwt', role: 'a', file: file('jwt') }),
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
      echoed: at(others.echo as string, token),
      'echoed-login': at(others.echo as string, { method: 'userpass', username: 'anna', password: '${PASSWORD}' }),
      down: at(others.down as string, token),
    },
    bundles: {
      good: bundle('good', '{{ ref "vault://secret/app#value" }}{{ ref "anna://secret/app#value" }}'),
      sink: bundle('sink', '{{ vaultToken }} {{ vaultToken "wrap=5m" }}'),
      ...Object.fromEntries(Object.entries(FAILURES).map(([name, content]) => [name, bundle(name, content)])),
      ...Object.fromEntries(BROKEN.map(name => [name, bundle(name, `{{ ref "${name}://secret/app#value" }}`)])),
    },
    state: join(root, 'state'),
    admin: { listen: `127.0.0.1:${admin}` },
  }
}

async function setScene(server: VaultServer) {
  const root = scratch()
  mkdirSync(join(root, 'credentials'))
  const { strangeToken, wrongPassword, secretId, wrapped, jwt, webIdentity, federated } = SECRETS
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
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'credentials', name), `${text}\n`)
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
      response.writeHead(400).end(JSON.stringify({ errors, warnings: errors }))
    })
  })
  const admin = await freePort()
  const others = { redirecting: redirecting.url, echo: echo.url, down: `http://127.0.0.1:${await freePort()}` }
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
  const environment = { TOKEN: SECRETS.token, PASSWORD: SECRETS.password, ...clouds, DEBUG: '*', TMPDIR: root }
  return { root, config, admin, environment, thief, heard }
}

describe.each(vaultServers())('%s', (_, start) => {
  test('a secret is nowhere but where it has to be, whatever goes wrong', { timeout: 60_000 }, async () => {
    const server = await start()
    onTestFinished(() => server.close())
    await prepare(server)
    const { root, config, admin, environment, thief, heard } = await setScene(server)
    const places = new Places()

    const { child, stderr, ended } = startBuilt(['run', '-c', config, '--log-level', 'debug'], {
      directory: root,
      environment,
    })
    const sampling = sampleProcesses(child.pid as number)
    const names = [...Object.keys(FAILURES), ...BROKEN]
    const isSaid = (name: string) => stderr().includes(`"bundle":"${name}"`) || stderr().includes(`"${name}://`)
    await eventually(() => expect(names.filter(name => !isSaid(name))).toEqual([]), { withinMs: 20_000 })
    await eventually(() =>
      expect(readFileSync(join(root, 'volumes', 'good', 'x'), 'utf8')).toBe(SECRETS.value + SECRETS.value),
    )
    const sunk = await eventually(() => readFileSync(join(root, 'volumes', 'sink', 'x'), 'utf8').split(' '))
    expect(sunk[0]).toBe(SECRETS.token)
    for (const path of ['readyz', 'startupz', 'livez']) {
      places.add(path, await (await fetch(`http://127.0.0.1:${admin}/${path}`)).text())
    }
    child.kill('SIGTERM')
    const { stdout } = await ended
    const samples = sampling.stop()
    const once = await runBuilt(['once', '-c', config, '--timeout', '1s'], { environment })
    places.add('what run wrote', stdout + stderr())
    places.add('what once wrote', once.stdout + once.stderr)
    for (const { pid, arguments: line } of samples) places.add(`the arguments of process ${pid}`, line)
    places.addFiles(root, path => /^(?:credentials|volumes|outrigger\.yaml)$/.test(path.slice(root.length + 1)))

    const found = Object.entries({ ...SECRETS, wrapping: sunk[1] as string }).flatMap(([name, secret]) =>
      places.find(secret).map(place => `${name}: ${place}`),
    )
    expect(found).toEqual([])
    expect(thief).toEqual([])
    // That nothing was found proves something only where the secrets really went.
    for (const secret of [SECRETS.token, SECRETS.password]) {
      expect(heard.join('\n')).toContain(JSON.stringify(secret).slice(1, -1))
    }
    for (const secret of [SECRETS.webIdentity, SECRETS.federated]) {
      expect(heard.join('\n')).toContain(new URLSearchParams({ x: secret }).toString().slice('x='.length))
    }
  })
})
