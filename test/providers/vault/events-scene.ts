import { onTestFinished } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { must } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

export const TOKEN = 'SENTINEL-token-7a11'
/** Nothing is seen by polling. */
export const SLOW = { poll: '100h', reread: '100h' }

/** A provider that polls every hundred hours, on a double, in time that is the test's. */
export class Scene {
  readonly server: VaultDouble
  readonly bench: Bench
  readonly clock: FakeClock

  private constructor(server: VaultDouble, bench: Bench, clock: FakeClock) {
    this.server = server
    this.bench = bench
    this.clock = clock
  }

  static async on(
    mode: VaultDouble['events']['mode'] = 'stream',
    { tls, ...options }: { readonly tls?: 'tls'; readonly [name: string]: unknown } = {},
  ): Promise<Scene> {
    const server = await VaultDouble.start(tls)
    onTestFinished(() => server.close())
    server.events.mode = mode
    await must(server, 'POST', 'auth/token/create', { id: TOKEN, policies: ['root'], ttl: '1000h' })
    await must(server, 'POST', 'secret/data/app', { data: { v: 'SENTINEL-1' } })
    const clock = new FakeClock()
    const given = { url: server.url, ca: server.ca, rootToken: TOKEN }
    const bench = await Bench.open(given, { ...SLOW, ...options }, { clock, random: () => 0.5 })
    logs.push(bench.logged)
    return new Scene(server, bench, clock)
  }

  /** Lets time pass in small steps until something holds; gives how long that took. */
  async until(holds: () => unknown, stepMs = 20): Promise<number> {
    const startMs = this.clock.monotonicMs()
    await eventually(async () => {
      await this.clock.advance(stepMs)
      if ((await holds()) !== true) throw new Error('it does not hold')
    })
    return this.clock.monotonicMs() - startMs
  }

  /** Lets what is asked be answered, while no time passes. */
  async quiet(): Promise<void> {
    let seen: number
    do {
      seen = this.server.seen.length
      for (let i = 0; i < 5; i++) await settled()
    } while (seen !== this.server.seen.length)
  }

  /** Until there is a stream, and all have looked. */
  async streaming(count = 1): Promise<void> {
    await this.until(() => this.server.events.subscribers === count, 100)
    await this.until(() => true, 1_000)
    await this.quiet()
    this.server.seen.length = 0
  }

  /** A watch of a field that has been read. */
  async watching(path: string, field = 'v') {
    const asking = this.bench.watch('ref', path, field)
    await eventually(() => asking.answer)
    return asking
  }

  asked(path: string): number {
    return this.server.seen.filter(one => one.path === path).length
  }

  get said(): string {
    return this.bench.logged.join('')
  }
}

/** What each provider of a test has logged. */
export const logs: (readonly string[])[] = []
