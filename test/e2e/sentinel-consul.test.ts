import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConsulClient } from '../support/consul-client.ts'
import { ACLS, ConsulServer, onConsul, whyNoConsul } from '../support/consul-server.ts'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { Places, sampleProcesses, sentinel } from '../support/sentinel.ts'
import { freePort, serve } from '../support/serve.ts'

// What `sentinel.test.ts` does, for everything secret that goes to a Consul or comes from one.

const SECRETS = {
  value: sentinel('value'),
  broken: sentinel('broken'),
  token: sentinel('token'),
  strangeToken: sentinel('strange-token'),
  password: sentinel('password'),
}

/** What a template does with a value that makes it fail. */
const FAILURES: Readonly<Record<string, string>> = {
  'parse-json': '{{ key "app/broken" | parseJSON }}',
  'no-field': '{{ ref "consul://app/broken.json#no.such" }}',
  'as-key': '{{ key (printf "%s@" (key "app/value")) }}',
  'as-service': '{{ service (key "app/value") }}',
  'as-node': '{{ node (key "app/value") }}',
  'as-list': '{{ range key "app/value" | parseJSON }}{{ end }}',
  'missing-field': '{{ range tree "app/" }}{{ .Nothing }}{{ end }}',
  'parse-int': '{{ key "app/value" | parseInt }}',
}

/** Providers whose server, or whose token, fails. */
const BROKEN = ['stranger', 'redirected', 'echoed', 'echoed-prefix', 'down']

const GOOD = '{{ key "app/value" }}{{ with caLeaf "web" }}{{ .PrivateKeyPEM }}{{ end }}'

async function startServer(): Promise<ConsulServer> {
  const acl = { ...ACLS.acl, tokens: { master: SECRETS.token, agent: SECRETS.token } }
  const server = await ConsulServer.start(scratch({ inMemory: true }), { config: { acl } })
  onTestFinished(() => server.kill())
  const root = new ConsulClient(server.url, { token: SECRETS.token })
  onTestFinished(() => root.close())
  const json = `{"password": ${JSON.stringify(SECRETS.broken)}, oops`
  await eventually(() => root.put('app/value', SECRETS.value))
  for (const key of ['app/broken', 'app/broken.json']) await root.put(key, json)
  await root.register({ Name: 'web', Port: 80 })
  return server
}

function configurationOf(root: string, server: ConsulServer, others: Readonly<Record<string, string>>, admin: number) {
  const fast = { type: 'consul', timeout: '2s', wait: '1s' }
  const token = '${TOKEN}'
  const bundle = (name: string, content: string) => ({
    volume: join(root, 'volumes', name),
    files: [{ path: 'x', content }],
  })
  const user = { username: 'anna', password: '${PASSWORD}' }
  return {
    providers: {
      consul: { ...fast, address: server.url, token, default: true },
      stranger: { ...fast, address: server.url, token: `file:${join(root, 'credentials', 'token')}` },
      redirected: { ...fast, address: others.redirecting, token, ...user },
      echoed: { ...fast, address: others.echo, token, ...user },
      'echoed-prefix': { ...fast, address: `${others.echo}/prefix/`, token },
      down: { ...fast, address: others.down, token },
    },
    bundles: {
      good: bundle('good', GOOD),
      ...Object.fromEntries(Object.entries(FAILURES).map(([name, content]) => [name, bundle(name, content)])),
      ...Object.fromEntries(BROKEN.map(name => [name, bundle(name, `{{ ref "${name}://app/value" }}`)])),
    },
    state: join(root, 'state'),
    admin: { listen: `127.0.0.1:${admin}` },
  }
}

async function setScene(server: ConsulServer) {
  const root = scratch()
  mkdirSync(join(root, 'credentials'))
  writeFileSync(join(root, 'credentials', 'token'), `${SECRETS.strangeToken}\n`)
  const thief: string[] = []
  const heard: string[] = []
  const other = await serve((request, response) => {
    thief.push(`${request.url} ${JSON.stringify(request.headers)}`)
    response.writeHead(200).end('[]')
  })
  const redirecting = await serve((request, response) => {
    response.writeHead(307, { location: `${other.url.replace('127.0.0.1', 'localhost')}${request.url}` }).end()
  })
  // A server that says back to us all that it was told, and fails.
  const echo = await serve((request, response) => {
    const said = `${request.url} ${JSON.stringify(request.headers)}`
    heard.push(said)
    response.writeHead(500, { 'x-consul-reason': encodeURIComponent(said) }).end(`rpc error: ${said}`)
  })
  const admin = await freePort()
  const others = { redirecting: redirecting.url, echo: echo.url, down: `http://127.0.0.1:${await freePort()}` }
  const config = join(root, 'outrigger.yaml')
  writeFileSync(config, JSON.stringify(configurationOf(root, server, others, admin), undefined, 1))
  const environment = { TOKEN: SECRETS.token, PASSWORD: SECRETS.password, DEBUG: '*', TMPDIR: root }
  return { root, config, admin, environment, thief, heard }
}

describe(`Consul's secrets ${onConsul}`, { skip: whyNoConsul !== undefined }, () => {
  test('a secret is nowhere but where it has to be, whatever goes wrong', { timeout: 60_000 }, async () => {
    const server = await startServer()
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
    const shown = await eventually(() => {
      const text = readFileSync(join(root, 'volumes', 'good', 'x'), 'utf8')
      expect(text).toContain(SECRETS.value)
      expect(text).toContain('PRIVATE KEY')
      return text
    })
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

    const [, keyLine = ''] = /PRIVATE KEY-----\n(.+)\n/.exec(shown) ?? []
    expect(keyLine.length).toBeGreaterThan(40)
    const found = Object.entries({ ...SECRETS, key: keyLine }).flatMap(([name, secret]) =>
      places.find(secret).map(place => `${name}: ${place}`),
    )
    expect(found).toEqual([])
    expect(thief).toEqual([])
    // That nothing was found proves something only where the secrets really went.
    expect(heard.join('\n')).toContain(JSON.stringify(SECRETS.token).slice(1, -1))
    expect(heard.join('\n')).toContain(Buffer.from(`anna:${SECRETS.password}`).toString('base64'))
  })
})
