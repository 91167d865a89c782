import { mkdtempSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../lib/base/clock.ts'
import { silentLog } from '../../lib/base/log.ts'
import { v } from '../../lib/base/schema.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { FileOptions } from '../../lib/bundle.ts'
import { renderFunctions, type Asker } from '../../lib/render/functions.ts'
import { Renderer, type Rendered } from '../../lib/render/renderer.ts'
import { Store } from '../../lib/store/store.ts'
import { etcd } from '../../providers/etcd/plugin.ts'
import { EtcdServer, whyNoEtcd } from '../support/etcd-server.ts'
import { providerHost } from '../support/provider-host.ts'
import { median, mib, ms, quantile, type Figure } from './measure.ts'
import { sharedMemory } from './place.ts'

const TEMPLATES = 1_000
const KEYS_EACH = 10
const CHANGES = 200
/** As long as its answer may take; shorter ones are not sent more often. */
const HEARTBEAT_MS = 5_000
const IDLE_MS = 15_000

/** 10,000 keys of which 1,000 templates show ten each: asked for by each template for itself, and all by one prefix. */
const WAYS: Readonly<Record<string, readonly FileOptions[]>> = {
  '1,000 directories': Array.from({ length: TEMPLATES }, (_, i) =>
    fileOf(`${i}`, `{{ range etcdTree "app/${i}" }}{{ .Key }} = {{ .Value }}\n{{ end }}`),
  ),
  'one prefix': [
    fileOf(
      '{{ .Key }}',
      '{{ range $key, $pair := .Value }}{{ $key }} = {{ $pair.Value }}\n{{ end }}',
      '{{ etcdTree "app" | byKey }}',
    ),
  ],
}

/** From a changed key of 10,000 to the contents with their digest: what it takes of our own process, and of etcd. */
export async function measureEtcdKeys(): Promise<readonly Figure[]> {
  if (whyNoEtcd !== undefined) return [{ what: 'skipped', value: whyNoEtcd }]
  const directory = mkdtempSync(sharedMemory('outrigger-bench-etcd-'))
  const server = await EtcdServer.start(directory)
  try {
    for (let i = 0; i < TEMPLATES; i++) {
      const keys = Array.from({ length: KEYS_EACH }, (_, j) => [`app/${i}/key-${j}`, `value ${i} ${j}`])
      await server.client.putAll(Object.fromEntries(keys) as Record<string, string>)
    }
    const figures: Figure[] = []
    for (const [name, files] of Object.entries(WAYS)) {
      for (const figure of await measureWay(files, server, directory))
        figures.push({ ...figure, what: `${name}: ${figure.what}` })
    }
    return figures
  } finally {
    await server.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measureWay(
  files: readonly FileOptions[],
  server: EtcdServer,
  directory: string,
): Promise<readonly Figure[]> {
  const memoryBefore = memoryNow()
  const options = v.parse(etcd.options, { endpoints: server.url, heartbeat: `${HEARTBEAT_MS}ms` })
  const provider = await etcd.open(options, providerHost(directory).host)
  const store = new Store({
    providers: new Map([['etcd', provider]]),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    redactor: new Redactor(),
  })
  const inputs = store.subscribe()
  const renderer = makeRenderer(files)
  const pass = () => {
    const rendered = renderer.render(inputs)
    inputs.want(rendered.wanted)
    return rendered
  }
  try {
    const startedAt = performance.now()
    await until(inputs, pass, rendered => rendered.kind === 'complete')
    const startMs = performance.now() - startedAt
    const took: number[] = []
    let renders = 0
    const cpu = process.cpuUsage()
    for (let i = 1; i <= CHANGES; i++) {
      const value = `changed ${i} with ${files.length} entries`
      await server.client.put(`app/${(i * 7) % TEMPLATES}/key-3`, value)
      const acknowledged = performance.now()
      const rendered = await until(inputs, pass, shows(value))
      took.push(performance.now() - acknowledged)
      renders = Math.max(renders, rendered.kind === 'complete' ? rendered.renders : Number.NaN)
    }
    const { user, system } = process.cpuUsage(cpu)
    const memory = memoryNow() - memoryBefore
    const asked = await requests(server)
    await sleep(IDLE_MS)
    const idle = (await requests(server)) - asked
    // What lists the outputs of a forEach is evaluated as well, and is no template.
    const lists = files.length < TEMPLATES ? 1 : 0
    return [
      { what: 'until all is read and rendered', value: ms(startMs) },
      {
        what: 'templates rendered for one change',
        value: String(renders - lists),
        goal: { text: '1', met: renders - lists === 1 },
      },
      { what: 'rendered, median', value: ms(median(took)) },
      { what: 'rendered, p99', value: ms(quantile(took, 0.99)) },
      { what: "processor for each change, the write's too", value: ms((user + system) / 1_000 / CHANGES) },
      { what: 'memory', value: mib(memory) },
      { what: `requests in ${IDLE_MS / HEARTBEAT_MS} heartbeats of nothing to do`, value: String(idle) },
    ]
  } finally {
    await store.close()
    await provider.close()
  }
}

/** Passes until one gives what is wanted. */
async function until(
  inputs: { readonly changed: { take(signal: AbortSignal): Promise<undefined> } },
  pass: () => Rendered,
  isWanted: (rendered: Rendered) => boolean,
): Promise<Rendered> {
  for (;;) {
    const rendered = pass()
    if (rendered.kind === 'broken') throw new Error(rendered.problem.message)
    if (isWanted(rendered)) return rendered
    await inputs.changed.take(AbortSignal.timeout(60_000))
  }
}

function shows(text: string): (rendered: Rendered) => boolean {
  const bytes = Buffer.from(text)
  return rendered =>
    rendered.kind === 'complete' && rendered.contents.files.some(({ content }) => Buffer.from(content).includes(bytes))
}

/** What etcd has been asked: requests, and messages on the streams. */
async function requests({ client }: EtcdServer): Promise<number> {
  const [ranges, messages] = await Promise.all([
    client.metric('grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"}'),
    client.metric(
      'grpc_server_msg_received_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"}',
    ),
  ])
  return ranges + messages
}

function memoryNow(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function fileOf(path: string, text: string, forEach?: string): FileOptions {
  const syntax = { delims: ['{{', '}}'], missingKey: 'error' } as const
  const source = { kind: 'template', name: path, text, syntax, ...(forEach === undefined ? {} : { forEach }) } as const
  return { path, source, mode: undefined, owner: undefined, group: undefined }
}

function makeRenderer(files: readonly FileOptions[]): Renderer {
  const askers = new Map<string, Asker>([['etcd', { name: 'etcd', plugin: etcd, isDefault: false }]])
  return new Renderer({
    bundle: {
      name: 'bench',
      volume: '/nowhere',
      files,
      checks: [],
      hooks: [],
      probe: undefined,
      settle: { quietMs: 0, longestMs: 0 },
      keep: 3,
      keepAgeMs: 60_000,
    },
    functions: renderFunctions(askers),
    askers,
    environment: {},
    now: () => 0,
    networkAddresses: () => [],
    digestKey: Buffer.alloc(32),
    owners: { uid: () => 0, gid: () => 0 },
  })
}
