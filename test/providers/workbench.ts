import { onTestFinished } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { v } from '../../lib/base/schema.ts'
import type { Struct, Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Provider, ProviderHost, ProviderPlugin } from '../../lib/provider.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { eventually } from '../support/eventually.ts'
import { providerHost } from '../support/provider-host.ts'
import { scratch } from '../support/scratch.ts'

/** One backend of its own, and a plugin that is set up to read it. */
export interface ConformanceFixture<Options> {
  readonly plugin: ProviderPlugin<Options>
  /** As the configuration gives them, without `type`; poll often, the suite waits for changes. */
  readonly options: unknown
  /** What the host has beside the suite's own (the system's clock, a private directory, an empty environment). */
  readonly host?: Partial<ProviderHost>
  /** Makes the backend hold these bytes at a path, `greeting` or `nested/name`, and nothing else there. */
  write(path: string, content: Uint8Array): Promise<void>
  remove(path: string): Promise<void>
  /** The arguments of the plugin's `reference` that ask for a path. */
  reference(path: string): readonly Value[]
  /** Makes the backend fail to answer; it keeps what it holds. */
  readonly breakBackend?: () => Promise<void>
  /** Makes it answer again. */
  readonly mendBackend?: () => Promise<void>
  /** Texts that no message may hold beside the values: the credentials in `options`. */
  readonly credentials?: readonly string[]
  close(): Promise<void>
}

/** What a backend cannot have, and how long it takes. */
export interface ConformanceTraits {
  /** Whether what it holds can change while it is open. @default true */
  readonly changes?: boolean
  /** Whether a value can be any bytes. @default true */
  readonly binary?: boolean
  /** Whether a value can be empty. @default true */
  readonly empty?: boolean
  /** Whether names can be any Unicode, and nested with `/`. @default true */
  readonly freeNames?: boolean
  /** How a path shows that does not exist: as a reading that is `absent`, or, where a reading is a whole of which a path takes a
   *  part, as an `answer` that throws. @default 'reading' */
  readonly missing?: 'reading' | 'answer'
  /** How many writes make a burst. @default 50 */
  readonly burst?: number
  /** How long a change may take to be seen. @default 10_000 */
  readonly withinMs?: number
}

/** What stands for an answer where there is none. */
export const ABSENT = Symbol('absent')
export const UNANSWERED = Symbol('unanswered')

export type Make<Options> = () => Promise<ConformanceFixture<Options>>

/** A fixture, the provider opened on it, and what the tests do with them. Everything ends with the test. */
export class Workbench<Options> {
  readonly fixture: ConformanceFixture<Options>
  readonly logged: readonly string[]
  readonly #host: ProviderHost
  #provider: Provider | undefined

  constructor(fixture: ConformanceFixture<Options>, directory: string) {
    this.fixture = fixture
    const { host, logged } = providerHost(directory, fixture.host)
    this.#host = host
    this.logged = logged
  }

  get plugin(): ProviderPlugin<Options> {
    return this.fixture.plugin
  }

  get provider(): Provider {
    if (this.#provider === undefined) throw new Error('open() comes first')
    return this.#provider
  }

  async open(): Promise<void> {
    const provider = await this.plugin.open(v.parse(this.plugin.options, this.fixture.options), this.#host)
    this.#provider = provider
    onTestFinished(() => provider.close())
  }

  readonly reference = (path: string): readonly Value[] => this.fixture.reference(path)

  ask(path: string): Dependency {
    return this.plugin.reference.ask('mine', this.reference(path))
  }

  /** The answer for a path, `ABSENT`, or `UNANSWERED` when taking it fails. */
  answer(path: string, reading: Reading): unknown {
    if (reading.value === absent) return ABSENT
    try {
      return this.plugin.reference.answer(reading, this.reference(path))
    } catch (error) {
      if (!(error instanceof Error) || error.message === '') throw error
      return UNANSWERED
    }
  }

  watch(path: string, options: { readonly restart?: boolean } = {}): Watching {
    return new Watching(this.provider, this.ask(path), options.restart ?? false)
  }

  write(path: string, content: Uint8Array): Promise<void> {
    return this.fixture.write(path, content)
  }

  remove(path: string): Promise<void> {
    return this.fixture.remove(path)
  }
}

export async function workbench<Options>(make: Make<Options>): Promise<Workbench<Options>> {
  const directory = scratch()
  const fixture = await make()
  onTestFinished(() => fixture.close())
  return new Workbench(fixture, directory)
}

/** How long an aborted watch may take to end. */
export const PROMPT_MS = 3_000

/** A watch that is read as the store reads it: each reading is kept; with `restart`, an error starts it again. */
export class Watching {
  readonly readings: Reading[] = []
  /** What it threw before it was stopped, or that it ended by itself. */
  readonly ends: unknown[] = []
  readonly #controller = new AbortController()
  readonly #running: Promise<void>

  constructor(provider: Provider, dependency: Dependency, restart: boolean) {
    this.#running = this.#read(provider, dependency, restart)
    onTestFinished(() => this.stop())
  }

  get latest(): Reading {
    const reading = this.readings.at(-1)
    if (reading === undefined) throw new Error(`no reading yet; ended with ${String(this.ends[0])}`)
    return reading
  }

  /** The first reading. */
  async first(): Promise<Reading> {
    await eventually(() => this.latest)
    return this.readings[0] as Reading
  }

  /** Aborts it and waits for its end. */
  async stop(): Promise<void> {
    this.#controller.abort(new Error('over'))
    await before(this.#running, PROMPT_MS, 'the end of a watch')
  }

  async #read(provider: Provider, dependency: Dependency, restart: boolean): Promise<void> {
    const { signal } = this.#controller
    for (;;) {
      try {
        for await (const reading of provider.watch(dependency, signal)) this.readings.push(reading)
        if (!signal.aborted) this.ends.push(new Error('the watch ended by itself'))
      } catch (error) {
        if (!signal.aborted) this.ends.push(error)
        else if (error !== signal.reason) throw error
      }
      if (!restart || signal.aborted) return
      await systemClock.sleep(10, signal).catch(() => {})
    }
  }
}

export function text(content: string): Uint8Array {
  return Buffer.from(content, 'utf8')
}

/** A promise that must settle in time, and does not keep a timer when it has. */
export async function before<T>(promise: Promise<T>, withinMs: number, what: string): Promise<T> {
  const done = new AbortController()
  const late = systemClock.sleep(withinMs, done.signal).then(() => {
    throw new Error(`${what} did not come within ${withinMs} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    done.abort()
    late.catch(() => {})
  }
}

/** The value of each key in a reading of a prefix, by the key below it. */
export function valuesOf({ value }: Reading): Readonly<Record<string, Value>> {
  if (value === absent) return {}
  const pairs = value as readonly Struct[]
  return Object.fromEntries(pairs.map(({ fields }) => [fields.get('Key'), fields.get('Value')]))
}
