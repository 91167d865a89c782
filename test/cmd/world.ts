import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { run } from '../../cmd/verbs/run.ts'
import { systemWorld, type World } from '../../cmd/world.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'

/** A world whose terminal is read and whose signals are sent by a test; the rest is real. */
export function testWorld(overrides: Partial<World> = {}) {
  const said: string[] = []
  const callbacks = new Set<{ readonly signals: readonly string[]; readonly call: (signal: NodeJS.Signals) => void }>()
  const world: World = {
    ...systemWorld(),
    terminal: {
      out: text => void said.push(String(text)),
      say: line => void said.push(line),
      log: line => void said.push(line),
      interactive: () => false,
    },
    signals: {
      on(signals, call) {
        const callback = { signals, call }
        callbacks.add(callback)
        return () => callbacks.delete(callback)
      },
    },
    ...overrides,
  }
  return {
    world,
    said: () => said.join('\n'),
    /** Gives whether anybody listened. */
    send: (signal: NodeJS.Signals): boolean => {
      const listening = [...callbacks].filter(({ signals }) => signals.includes(signal))
      for (const { call } of listening) call(signal)
      return listening.length > 0
    },
  }
}

export interface Place {
  readonly root: string
  readonly config: string
  /** Writes the configuration; gives its path. */
  readonly write: (config: { readonly bundles: Record<string, object>; readonly [key: string]: unknown }) => string
  readonly value: (name: string, text: string) => void
}

/** A directory with a configuration to write and values to set; the provider `local` reads them. */
export function place(): Place {
  const root = scratch()
  const config = join(root, 'outrigger.yaml')
  mkdirSync(join(root, 'values'))
  return {
    root,
    config,
    write({ bundles, ...more }) {
      const settle = { quiet: '5ms', longest: '50ms' }
      const all = Object.entries(bundles).map(([name, bundle]) => [name, { settle, ...bundle }])
      const providers = { local: { type: 'file', path: './values' } }
      writeFileSync(config, JSON.stringify({ providers, bundles: Object.fromEntries(all), state: './state', ...more }))
      return config
    },
    value: (name, text) => writeFileSync(join(root, 'values', name), text),
  }
}

export const OPTIONS = { logLevel: 'debug', logFormat: 'json' } as const

/** Starts `run` in this process; the end of the test is its end. */
export function startRun(config: string, overrides: Partial<World> = {}) {
  const { world, said, send } = testWorld(overrides)
  let code: number | undefined
  const ended = run({ ...OPTIONS, config }, world).then(result => (code = result))
  onTestFinished(async () => {
    send('SIGTERM')
    await eventually(() => {
      if (code === undefined) throw new Error('it does not end')
    })
  })
  return { said, send, ended }
}
