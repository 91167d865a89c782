import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { GitHttpServer } from '../support/git-http-server.ts'
import { GitRepository } from '../support/git-repository.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { Places, sampleProcesses, sentinel, spellingsOf, type Sample } from '../support/sentinel.ts'
import { freePort, serve } from '../support/serve.ts'

// Recognisable secrets go everywhere that a secret can go, and everything that can go wrong with them does. Then they are looked
// for everywhere that they must not be (lib/README.md, the contract, 7).

/** By where it goes in. */
const SECRETS = {
  value: sentinel('value'),
  field: sentinel('field'),
  broken: sentinel('broken'),
  gitFromEnvironment: sentinel('git-env'),
  gitFromFile: sentinel('git-file'),
  gitInUrl: sentinel('git-url'),
  hookPassword: sentinel('hook-password'),
  hookHeader: sentinel('hook-header'),
  hookVariable: sentinel('hook-variable'),
  probeQuery: sentinel('probe-query'),
  wrongConfig: sentinel('wrong-config'),
}

/** What a template does with a secret that makes it fail. */
const FAILURES: Readonly<Record<string, string>> = {
  'parse-json': '{{ ref "secrets://broken.json" | parseJSON }}',
  'parse-yaml': '{{ ref "secrets://broken.json" | parseYAML }}',
  'parse-toml': '{{ ref "secrets://broken.json" | parseTOML }}',
  'data-json': '{{ data "secrets://broken.json" }}',
  'data-field': '{{ ref "secrets://db.json#password.deeper" }}',
  'data-no-field': '{{ ref "secrets://db.json#no.such" }}',
  'missing-key': '{{ (data "secrets://db.json").nothing }}',
  'field-of-text': '{{ (ref "secrets://value").field }}',
  index: '{{ index (ref "secrets://value") "x" }}',
  'index-far': '{{ index (ref "secrets://value") 5000 }}',
  'index-map': '{{ index (data "secrets://db.json") (data "secrets://db.json") }}',
  slice: '{{ slice (ref "secrets://value") 9 3 }}',
  range: '{{ range ref "secrets://value" }}x{{ end }}{{ index 1 1 }}',
  compare: '{{ lt (ref "secrets://value") 5 }}',
  call: '{{ call (ref "secrets://value") }}',
  printf: '{{ printf (ref "secrets://value") 1 2 | parseJSON }}',
  'printf-wrong': '{{ printf "%d" (ref "secrets://value") | parseInt }}',
  'parse-int': '{{ ref "secrets://value" | parseInt }}',
  'parse-bool': '{{ ref "secrets://value" | parseBool }}',
  base64: '{{ ref "secrets://value" | base64Decode }}',
  'wrong-type': '{{ split (ref "secrets://value") 5 }}',
  regex: '{{ regexMatch (printf "(%s" (ref "secrets://value")) "x" }}',
  duration: '{{ parseFloat (ref "secrets://value") }}',
  'as-reference': '{{ ref (ref "secrets://value") }}',
  'as-provider': '{{ ref (printf "%s://x" "nobody") }}{{ ref "secrets://value" }}',
  'as-path': '{{ ref (printf "secrets://%s" (ref "secrets://value")) }}',
  'as-parent': '{{ ref (printf "secrets://../%s" (ref "secrets://value")) }}',
  'must-env': '{{ mustEnv (ref "secrets://value") }}',
}

/** Configurations that are wrong around a secret. */
const WRONG: readonly string[] = [
  `providers: { vals: { type: file, path: ., passwrd: ${JSON.stringify(SECRETS.wrongConfig)} } }\nbundles: {}\n`,
  `providers:\n  repo: { type: git, url: https://u:${encodeURIComponent(SECRETS.wrongConfig)}@example.org/x, poll: never }\nbundles: {}\n`,
  `providers:\n  repo:\n    type: git\n    auth: { password: '${SECRETS.wrongConfig} }\nbundles: {}\n`,
  `# ${SECRETS.wrongConfig}\nbundles: [ '${SECRETS.wrongConfig}' \n`,
  `bundles:\n  web:\n    hooks: [{ http: 5, headers: { A: '${SECRETS.wrongConfig}', '': x } }, '${SECRETS.wrongConfig}']\n`,
  `bundles:\n  web:\n    hooks: [{ command: [x], env: { A: '\${NOT_SET}${SECRETS.wrongConfig}', B: 7 } }]\n`,
  SECRETS.wrongConfig,
]

interface Scene {
  readonly root: string
  readonly config: string
  readonly admin: number
  readonly environment: Readonly<Record<string, string>>
  readonly heard: string[]
}

async function setScene(): Promise<Scene> {
  const root = scratch()
  for (const name of ['values', 'etc', 'tmp', 'cwd']) mkdirSync(join(root, name))
  writeFileSync(join(root, 'values', 'value'), `${SECRETS.value}\n`)
  writeFileSync(join(root, 'values', 'db.json'), JSON.stringify({ user: 'app', password: SECRETS.field }))
  writeFileSync(
    join(root, 'values', 'broken.json'),
    `{"user": "app", "password": ${JSON.stringify(SECRETS.broken)}, oops`,
  )
  writeFileSync(join(root, 'git-password'), `${SECRETS.gitFromFile}\n`)

  const repository = await GitRepository.make({ in: root })
  await repository.commit({ 'values.yaml': 'port: 8080\n' })
  const [open, closed] = [await GitHttpServer.start(root), await GitHttpServer.start(root)]
  open.credentials = `deploy:${SECRETS.gitFromEnvironment}`
  closed.credentials = 'deploy:something-else'
  // A server that says back to us all that it was told, and fails.
  const heard: string[] = []
  const echo = await serve((request, response) => {
    const said = `${request.url} ${JSON.stringify(request.headers)}`
    heard.push(said)
    response.writeHead(500).end(said)
  })
  const admin = await freePort()
  const config = join(root, 'outrigger.yaml')
  writeFileSync(config, JSON.stringify(configOf(root, { open, closed }, echo.url, admin), undefined, 1))
  const environment = {
    GIT_PASSWORD: SECRETS.gitFromEnvironment,
    HOOK_TOKEN: SECRETS.hookHeader,
    HOOK_VARIABLE: SECRETS.hookVariable,
    PROBE_TOKEN: encodeURIComponent(SECRETS.probeQuery),
    TMPDIR: join(root, 'tmp'),
  }
  onTestFinished(async () => void (await Promise.all([open.close(), closed.close()])))
  return { root, config, admin, environment, heard }
}

function configOf(root: string, git: { open: GitHttpServer; closed: GitHttpServer }, echo: string, admin: number) {
  const at = (user: string, secret: string, url: string) =>
    url.replace('//', `//${user}:${encodeURIComponent(secret)}@`)
  const poll = '100ms'
  const settle = { quiet: '5ms', longest: '50ms' }
  const file = { path: 'app.conf', content: '{{ ref "secrets://value" }}{{ (data "secrets://db.json").password }}' }
  const volume = (name: string) => join(root, 'volumes', name)
  const say = (...files: string[]) => ['sh', '-c', `sleep 0.5; cat ${files.join(' ')} >&2; exit 1`]
  return {
    providers: {
      secrets: { type: 'file', path: './values', sensitive: true },
      open: {
        type: 'git',
        url: `${git.open.url}/repository.git`,
        poll,
        auth: { username: 'deploy', password: '${GIT_PASSWORD}' },
      },
      closed: {
        type: 'git',
        url: `${git.closed.url}/repository.git`,
        poll,
        auth: { username: 'deploy', password: 'file:./git-password' },
      },
      url: { type: 'git', url: at('deploy', SECRETS.gitInUrl, `${git.closed.url}/repository.git`), poll },
    },
    bundles: {
      told: {
        volume: volume('told'),
        files: [file, { path: 'port', content: '{{ ref "open://values.yaml" }}' }],
        settle,
        hooks: [
          {
            http: at('app', SECRETS.hookPassword, `${echo}/hook`),
            headers: { 'X-Token': '${HOOK_TOKEN}' },
          },
          {
            command: ['sh', '-c', 'sleep 0.5; cat "$OUTRIGGER_DIRECTORY/app.conf"; echo "$TOKEN"; exit 1'],
            env: { TOKEN: '${HOOK_VARIABLE}' },
          },
        ],
      },
      waiting: {
        volume: volume('waiting'),
        files: [
          { path: 'a', content: '{{ ref "closed://values.yaml" }}' },
          { path: 'b', content: '{{ ref "url://values.yaml" }}' },
        ],
        settle,
      },
      checked: { volume: volume('checked'), files: [file], settle, checks: [{ command: say('{staged}/app.conf') }] },
      probed: {
        volume: volume('probed'),
        files: [file],
        settle,
        probe: { command: say(join(volume('probed'), 'app.conf')), for: '300ms', every: '300ms' },
      },
      asked: {
        volume: volume('asked'),
        files: [file],
        settle,
        probe: {
          http: `${echo}/probe?token=\${PROBE_TOKEN}`,
          for: '300ms',
          every: '300ms',
        },
      },
      paths: { files: [{ ...file, path: join(root, 'etc', 'app.conf') }], settle },
      ...Object.fromEntries(
        Object.entries(FAILURES).map(([name, content]) => [
          name,
          { volume: volume(name), files: [{ path: 'x', content }], settle },
        ]),
      ),
    },
    state: join(root, 'state'),
    admin: { listen: `127.0.0.1:${admin}` },
  }
}

test('a secret is nowhere but where it has to be, whatever goes wrong', { timeout: 60_000 }, async () => {
  const { root, config, admin, environment, heard } = await setScene()
  const places = new Places()
  const right = readFileSync(config)

  const { child, stderr, ended } = startBuilt(['run', '-c', config, '--log-level', 'debug'], {
    directory: join(root, 'cwd'),
    environment,
  })
  const sampling = sampleProcesses(child.pid as number)
  const said = async (...texts: readonly string[]) =>
    eventually(() => expect(texts.filter(text => !stderr().includes(text))).toEqual([]), { withinMs: 20_000 })
  await said('"hook failed"', '"condemned"', '"rejected, what was visible stays"', '"cannot read"')
  await said(...Object.keys(FAILURES).map(name => `"bundle":"${name}"`))
  for (const bundle of ['probed', 'asked']) await said(`"bundle":"${bundle}","generation":1,"why"`)
  await eventually(() => expect(readFileSync(join(root, 'etc', 'app.conf'), 'utf8')).toContain(SECRETS.field))
  await eventually(() => expect(heard.some(text => text.includes('/hook'))).toBe(true))
  for (const path of ['/readyz', '/startupz', '/livez']) places.add(path, await ask(admin, path))

  for (const [i, wrong] of WRONG.entries()) {
    writeFileSync(config, wrong)
    child.kill('SIGHUP')
    await eventually(() => expect(stderr().match(/configuration not loaded/g)).toHaveLength(i + 1))
    const { stdout, stderr: errors, code } = await runBuilt(['validate', '-c', config], { environment })
    expect(code).toBe(2)
    places.add(`validate of the wrong configuration ${i}`, stdout + errors)
  }
  writeFileSync(config, right)
  child.kill('SIGHUP')
  await said('"configuration loaded"')
  places.add('/readyz after the reload', await ask(admin, '/readyz'))
  child.kill('SIGTERM')
  const { code, stdout } = await ended
  expect(code).toBe(0)
  const samples = sampling.stop()

  for (const bundle of ['told', 'paths', 'as-path', 'parse-json', 'as-reference']) {
    const run = await runBuilt(['render', '-c', config, '--timeout', '1s', bundle], { environment })
    places.add(`render ${bundle}`, run.stdout + run.stderr)
  }
  const once = await runBuilt(['once', '-c', config, '--timeout', '1s'], { environment })
  places.add('once', once.stdout + once.stderr)

  places.add('what run wrote', stdout + stderr())
  addSamples(samples, places)
  places.addFiles(root, path => isAtHome(path, root))

  const found = Object.entries(SECRETS).flatMap(([name, secret]) =>
    places.find(secret).map(place => `${name}: ${place}`),
  )
  expect(found).toEqual([])
  expectToHaveLooked({ root, samples, heard, said: stderr() })
})

/** Where secrets belong: what the operator wrote, what is published, and the copies that files at absolute paths are made of. */
function isAtHome(path: string, root: string): boolean {
  const inRoot = path.slice(root.length + 1)
  return /^(?:values|git-password|outrigger\.yaml|volumes|etc|repository\.git|state\/bundles\/paths\/\.\.g\d+)(?:$|\/)/.test(
    inRoot,
  )
}

/** The arguments of every process, and the environment of every child, but for what it is given on purpose: git its own
 *  credential (providers/git/environment.ts), a hook the variables that are configured for it. */
function addSamples(samples: readonly Sample[], places: Places): void {
  for (const { pid, arguments: line, environment } of samples) {
    places.add(`the arguments of process ${pid}, ${line}`, line)
    if (/outrigger\.js run /.test(line)) continue
    const unexpected = environment.filter(
      variable =>
        !(isGitsOwn(variable) && /(?:^|\/)git/.test(line)) && !(variable.startsWith('TOKEN=') && isHook(line)),
    )
    places.add(`the environment of process ${pid}, ${line}`, unexpected.join('\n'))
  }
}

function isGitsOwn(variable: string): boolean {
  return /^GIT_CONFIG_VALUE_\d+=Authorization: Basic /.test(variable)
}

function isHook(line: string): boolean {
  return line.includes('OUTRIGGER_DIRECTORY') || /^(?:sleep|cat) /.test(line)
}

/** That nothing was found proves something only where the secrets really went, and where it was really looked. */
function expectToHaveLooked({
  root,
  samples,
  heard,
  said,
}: {
  root: string
  samples: readonly Sample[]
  heard: readonly string[]
  said: string
}) {
  expect(readFileSync(join(root, 'volumes', 'told', 'app.conf'), 'utf8')).toBe(`${SECRETS.value}\n${SECRETS.field}`)
  expect(said).toContain('[secret]')
  const basic = (user: string, secret: string) => Buffer.from(`${user}:${secret}`).toString('base64')
  expect(heard.join('\n')).toContain(basic('app', SECRETS.hookPassword))
  expect(heard.join('\n')).toContain(JSON.stringify(SECRETS.hookHeader))
  expect(heard.join('\n')).toContain(encodeURIComponent(SECRETS.probeQuery))
  const seen = (pattern: RegExp) => samples.filter(({ arguments: line }) => pattern.test(line))
  expect(
    seen(/git-remote-http/)
      .flatMap(({ environment }) => environment)
      .join('\n'),
  ).toContain(basic('deploy', SECRETS.gitFromEnvironment))
  expect(seen(/OUTRIGGER_DIRECTORY/)).not.toEqual([])
  expect(seen(/cat .*\.\.g\d+\/app\.conf/)).not.toEqual([])
  expect(seen(/cat .*probed\/app\.conf/)).not.toEqual([])
}

test.each([...spellingsOf(SECRETS.value).keys()])('a secret is found in the spelling %s', spelling => {
  const places = new Places()
  places.add('here', `before ${spellingsOf(SECRETS.value).get(spelling)} after`)
  places.add('elsewhere', 'nothing')
  expect(places.find(SECRETS.value)).toContain(`here (${spelling})`)
  expect(places.find(SECRETS.field)).toEqual([])
})

test('a secret is found in base64 whatever stands around it', () => {
  for (const before of ['', 'a', 'ab', 'deploy:', 'app:']) {
    for (const after of ['', 'x', 'xy', '\n']) {
      const places = new Places()
      places.add('here', Buffer.from(`${before}${SECRETS.value}${after}`).toString('base64'))
      expect(places.find(SECRETS.value)).not.toEqual([])
    }
  }
})

function ask(port: number, path: string): Promise<string> {
  const { get } = process.getBuiltinModule('node:http')
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, response => {
      let body = JSON.stringify(response.headers)
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve(body))
    }).on('error', reject)
  })
}
