import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { must, vaultServers, type VaultServer } from '../support/vault-server.ts'
import { CountingProxy } from './counting-proxy.ts'
import { shows } from './latency.ts'
import { median, ms, times, type Figure } from './measure.ts'
import { bareEnvironment, makePlace, removePlace } from './place.ts'

const SECRETS = 500
const QUIET_MS = 200
/** Beyond poll and settle. */
const SLACK_MS = 500
const POLLS = [
  { poll: '2s', pollMs: 2_000, changes: 20 },
  { poll: '10s', pollMs: 10_000, changes: 6 },
]
const IDLE_POLL_MS = 5_000
const IDLE_MS = 20_000
const IDLE_SETTLED_MS = 10_000
const COLD_RUNS = 9
/** As many as the provider has. */
const CONNECTIONS = 16
const RATIO_MAX = 1.5

/** Changes, polls and cold reads of a real server where there is one, else of the double. */
export async function measureVault(program: string): Promise<readonly Figure[]> {
  const [name, start] = vaultServers().at(-1) ?? []
  if (start === undefined) throw new Error('there is always the double')
  const server = await start()
  try {
    await prepare(server)
    const figures: Figure[] = [{ what: 'server', value: name?.replace(/ \(.*/, '') ?? '' }]
    for (const each of POLLS) figures.push(...(await measureChanges(program, server, each)))
    figures.push(...(await measureIdle(program, server)))
    figures.push(...measureCold(program, server))
    return figures
  } finally {
    await server.close()
  }
}

async function prepare(server: VaultServer): Promise<void> {
  await eventually(() => write(server, '0'))
  for (let i = 0; i < SECRETS; i++) await must(server, 'POST', `secret/data/many/${i}`, { data: { v: `value ${i}` } })
}

async function write(server: VaultServer, v: string): Promise<void> {
  await must(server, 'POST', 'secret/data/v', { data: { v } })
}

/** From a write to its being visible. */
async function measureChanges(
  program: string,
  server: VaultServer,
  { poll, pollMs, changes }: { readonly poll: string; readonly pollMs: number; readonly changes: number },
): Promise<readonly Figure[]> {
  await write(server, '0')
  const provider = { type: 'vault', address: server.url, poll }
  const place = makePlace({ memory: true, quiet: `${QUIET_MS}ms`, provider, reference: 'local://secret/v#v' })
  const child = start(program, server, place.config)
  const took: number[] = []
  try {
    await shows(place.volume, '0')
    for (let i = 1; i <= changes; i++) {
      await setTimeout(Math.random() * pollMs)
      await write(server, String(i))
      const writtenAt = performance.now()
      took.push((await shows(place.volume, String(i), pollMs * 3)) - writtenAt)
    }
  } finally {
    await end(child)
    removePlace(place)
  }
  const most = Math.max(...took)
  const goal = { text: `<= poll + settle + 0.5 s`, met: most <= pollMs + QUIET_MS + SLACK_MS }
  return [
    { what: `poll ${poll}: a change is visible after, median of ${changes}`, value: ms(median(took)) },
    { what: `poll ${poll}: a change is visible after, at most`, value: ms(most), goal },
  ]
}

/** What 500 secrets cost that do not change. */
async function measureIdle(program: string, server: VaultServer): Promise<readonly Figure[]> {
  const proxy = await CountingProxy.to(server.url)
  const place = makePlaceOfMany(proxy.url, SECRETS, `${IDLE_POLL_MS}ms`)
  const child = start(program, server, place.config)
  try {
    await shows(place.volume, expected(SECRETS))
    // By then it has been asked whether there is a stream of events, too.
    await setTimeout(IDLE_SETTLED_MS)
    proxy.reset()
    const { connections } = proxy
    await setTimeout(IDLE_MS)
    const { count, bytes, mostAtOnce } = proxy
    const polls = proxy.requests.get('GET secret/metadata') ?? 0
    return [
      {
        what: `${SECRETS} secrets without a change: requests in ${IDLE_MS / 1_000} s at poll ${IDLE_POLL_MS / 1_000} s`,
        value: String(count),
      },
      {
        what: 'of these, other than one for a version, once a poll',
        value: String(count - polls),
        goal: { text: '0', met: count === polls && polls > 0 },
      },
      {
        what: 'requests a secret and poll (waits are up to a fifth shorter)',
        value: (polls / SECRETS / (IDLE_MS / IDLE_POLL_MS)).toFixed(2),
      },
      { what: 'bytes a request, both ways', value: (bytes / count).toFixed(0) },
      {
        what: 'at once, at most',
        value: String(mostAtOnce),
        goal: { text: `<= ${CONNECTIONS}`, met: mostAtOnce <= CONNECTIONS },
      },
      {
        what: 'connections, of these opened while polling',
        value: `${proxy.connections}, ${proxy.connections - connections}`,
        goal: {
          text: `<= ${CONNECTIONS}, 0`,
          met: proxy.connections <= CONNECTIONS && proxy.connections === connections,
        },
      },
    ]
  } finally {
    await end(child)
    proxy.close()
    removePlace(place)
  }
}

/** Reading 500 secrets with `once`: what that takes more than for one. Beside it, what curl takes, which asks over one kept connection for
 *  one after the other; and a process that does nothing but ask over as many connections as the provider. */
function measureCold(program: string, server: VaultServer): readonly Figure[] {
  const [many, one] = [makePlaceOfMany(server.url, SECRETS, '10s'), makePlaceOfMany(server.url, 1, '10s')]
  const hasCurl = spawnSync('curl', ['--version']).status === 0
  const curl = { many: curlConfig(many, server, SECRETS), one: curlConfig(one, server, 1) }
  const took = { once: [] as number[], curl: [] as number[], bare: [] as number[] }
  const whole: number[] = []
  try {
    for (let i = 0; i <= COLD_RUNS; i++) {
      const once = timeOnce(program, server, many)
      whole.push(once)
      took.once.push(once - timeOnce(program, server, one))
      if (hasCurl) took.curl.push(time('curl', curl.many, server) - time('curl', curl.one, server))
      took.bare.push(timeBare(server, SECRETS) - timeBare(server, 1))
    }
  } finally {
    removePlace(many)
    removePlace(one)
  }
  // The first of each warms the caches.
  const of = (values: readonly number[]) => median(values.slice(1))
  const [ours, byCurl, bare] = [of(took.once), of(took.curl), of(took.bare)]
  const besideCurl: readonly Figure[] = [
    { what: `curl: ${SECRETS} requests against one, over one kept connection`, value: ms(byCurl) },
    {
      what: 'once beside curl',
      value: times(ours / byCurl),
      goal: { text: `<= ${RATIO_MAX} x`, met: ours / byCurl <= RATIO_MAX },
    },
  ]
  return [
    { what: `once with ${SECRETS} secrets from cold, the whole process`, value: ms(of(whole)) },
    { what: `once: ${SECRETS} secrets against one`, value: ms(ours) },
    ...(hasCurl ? besideCurl : [{ what: 'beside curl: skipped', value: 'curl is not on this machine' }]),
    { what: `bare: ${SECRETS} requests against one, over ${CONNECTIONS} connections at once`, value: ms(bare) },
    { what: `once beside ${CONNECTIONS} bare connections`, value: times(ours / bare) },
  ]
}

type Many = ReturnType<typeof makePlace>

function makePlaceOfMany(address: string, count: number, poll: string): Many {
  // One line that the first names; the others follow it in the same template.
  const rest = Array.from({ length: count - 1 }, (_, i) => `{{ ref "local://secret/many/${i + 1}#v" }}`).join(' ')
  const provider = { type: 'vault', address, poll }
  return makePlace({ memory: true, quiet: '200ms', provider, reference: 'local://secret/many/0#v', rest })
}

function expected(count: number): string {
  return Array.from({ length: count }, (_, i) => `value ${i}`).join(' ')
}

function timeOnce(program: string, server: VaultServer, place: Many): number {
  rmSync(place.volume, { recursive: true, force: true })
  rmSync(join(place.root, 'state'), { recursive: true, force: true })
  return time(process.execPath, [program, 'once', '-c', place.config], server)
}

/** The arguments with which curl asks for so many secrets; the token stands in a file, and in no argument. */
function curlConfig(place: Many, server: VaultServer, count: number): readonly string[] {
  const file = join(place.root, 'curl')
  const urls = Array.from(
    { length: count },
    (_, i) => `url = "${server.url}/v1/secret/data/many/${i}"\noutput = "/dev/null"`,
  )
  writeFileSync(file, [`header = "X-Vault-Token: ${server.rootToken}"`, ...urls, ''].join('\n'), { mode: 0o600 })
  return ['--silent', '--fail', '--config', file]
}

/** What a program would do that only asks. */
const BARE = `
const http = require('node:http')
const [url, token, count, sockets] = process.argv.slice(1)
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(sockets) })
let left = Number(count)
for (let i = 0; i < Number(count); i++)
  http.get(url + '/v1/secret/data/many/' + i, { agent, headers: { 'x-vault-token': token } }, answer => {
    let text = ''
    answer.setEncoding('utf8').on('data', piece => (text += piece)).on('end', () => {
      JSON.parse(text)
      if (--left === 0) agent.destroy()
    })
  })
`

function timeBare(server: VaultServer, count: number): number {
  return time(process.execPath, ['-e', BARE, server.url, server.rootToken, String(count), String(CONNECTIONS)], server)
}

function time(command: string, args: readonly string[], server: VaultServer): number {
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(command, args, { env: environment(server), encoding: 'utf8' })
  if (status !== 0) throw new Error(`a process exited with ${status}: ${stderr}`)
  return performance.now() - startedAt
}

function environment(server: VaultServer) {
  return { ...bareEnvironment, VAULT_TOKEN: server.rootToken }
}

function start(program: string, server: VaultServer, config: string): ChildProcess {
  return spawn(process.execPath, [program, 'run', '-c', config], { env: environment(server), stdio: 'ignore' })
}

function end(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill()
  })
}
