import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { systemClock } from '../../lib/base/clock.ts'
import type { BundleOptions } from '../../lib/bundle.ts'
import { renderFunctions, type Asker } from '../../lib/render/functions.ts'
import { Renderer } from '../../lib/render/renderer.ts'
import { Store } from '../../lib/store/store.ts'
import { settled } from '../support/fake-clock.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { median, type Figure } from './measure.ts'

const TEMPLATES = 1_000
const ONE_PASSES = 300
const ALL_PASSES = 60

/** Passes through store and renderer with 1,000 templates, each asking for a value of its own and one that all share. A pass is
 *  from the reading to the contents with their digest. */
export async function measurePasses(): Promise<readonly Figure[]> {
  const provider = new ScriptedProvider()
  for (let i = 0; i < TEMPLATES; i++) provider.set(`own-${i}`, 'v0')
  provider.set('shared', 's0')
  const store = new Store({
    providers: new Map([['one', provider]]),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    redactor: new Redactor(),
  })
  const inputs = store.subscribe()
  const renderer = makeRenderer(provider)
  inputs.want(renderer.render(inputs).wanted)
  await settled()
  inputs.want(renderer.render(inputs).wanted)
  inputs.changed.clear()

  const one = await timePasses(ONE_PASSES, i => provider.set(`own-${i % TEMPLATES}`, `v${i + 1}`))
  const all = await timePasses(ALL_PASSES, i => provider.set('shared', `s${i + 1}`))
  await store.close()
  return [
    { what: 'one of 1,000 values changes: passes per second', value: one.perSecond.toFixed(0) },
    {
      what: 'one of 1,000 values changes: templates rendered',
      value: String(one.renders),
      goal: { text: '1', met: one.renders === 1 },
    },
    { what: 'the value all share changes: passes per second', value: all.perSecond.toFixed(0) },
    { what: 'the value all share changes: templates rendered', value: String(all.renders) },
    { what: 'one against all', value: `${(one.perSecond / all.perSecond).toFixed(1)} x` },
  ]

  async function timePasses(passes: number, change: (i: number) => void) {
    const took: number[] = []
    let renders = 0
    for (let i = 0; i < passes; i++) {
      change(i)
      await inputs.changed.take(new AbortController().signal)
      const start = performance.now()
      const rendered = renderer.render(inputs)
      inputs.want(rendered.wanted)
      took.push(performance.now() - start)
      if (rendered.kind !== 'complete') throw new Error(`the pass is ${rendered.kind}`)
      renders = rendered.renders
    }
    return { perSecond: 1_000 / median(took), renders }
  }
}

function makeRenderer(provider: ScriptedProvider): Renderer {
  const askers = new Map<string, Asker>([['one', { name: 'one', plugin: scriptedPlugin(provider), isDefault: false }]])
  const bundle: BundleOptions = {
    name: 'bench',
    volume: '/nowhere',
    files: Array.from({ length: TEMPLATES }, (_, i) => ({
      path: `f${i}.conf`,
      source: {
        kind: 'template',
        name: `f${i}.conf`,
        text: `# file ${i}\nown = {{ ref "one://own-${i}" }}\nshared = {{ ref "one://shared" | printf "%q" }}\n`,
        syntax: { delims: ['{{', '}}'], missingKey: 'error' },
      },
      mode: undefined,
      owner: undefined,
      group: undefined,
    })),
    checks: [],
    hooks: [],
    probe: undefined,
    settle: { quietMs: 0, longestMs: 0 },
    keep: 3,
    keepAgeMs: 60_000,
  }
  const owners = { uid: () => 0, gid: () => 0 }
  return new Renderer({
    bundle,
    functions: renderFunctions(askers),
    askers,
    environment: {},
    now: () => 0,
    networkAddresses: () => [],
    digestKey: Buffer.alloc(32),
    owners,
  })
}
