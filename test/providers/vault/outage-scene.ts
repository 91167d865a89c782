import { onTestFinished } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { vaultOptions } from '../../../providers/vault/options.ts'
import { VaultProvider } from '../../../providers/vault/provider.ts'
import { eventually } from '../../support/eventually.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { must, type VaultServer } from '../../support/vault-server.ts'
import { Leasing } from './leasing.ts'
import { SteppedTime } from './stepped-time.ts'
import { Stored } from './stored.ts'

const MINUTE = 60_000
export const KV = 'secret/app#password'
export const DB = 'rabbit/creds/app#username'

/** A store that has read a secret and a credential with a lease of an hour, with a token of an hour, through a proxy. */
export class Scene {
  readonly server: VaultServer
  readonly leasing: Leasing
  readonly proxy: FaultProxy
  readonly time: SteppedTime
  readonly stored: Stored
  readonly #others: ReadonlySet<string>
  readonly first = { kv: 'first', db: '' }

  private constructor(
    leasing: Leasing,
    proxy: FaultProxy,
    { time, stored, others }: { time: SteppedTime; stored: Stored; others: readonly string[] },
  ) {
    this.server = leasing.server
    this.leasing = leasing
    this.proxy = proxy
    this.time = time
    this.stored = stored
    this.#others = new Set(others)
  }

  static async on(start: () => Promise<VaultServer>): Promise<Scene> {
    const server = await start()
    onTestFinished(() => server.close())
    const leasing = await Leasing.on(server)
    const proxy = await FaultProxy.to(Number(new URL(server.url).port))
    onTestFinished(() => proxy.close())
    const others = await leasing.tokens()
    const time = new SteppedTime()
    const options = v.parse(vaultOptions, { address: `http://127.0.0.1:${proxy.port}`, auth: leasing.auth })
    const { host } = providerHost(scratch(), { clock: time.clock })
    const provider = await VaultProvider.open(options, host, time.connect)
    onTestFinished(() => provider.close())
    await eventually(() => must(server, 'POST', 'secret/data/app', { data: { password: 'first' } }))
    const scene = new Scene(leasing, proxy, { time, stored: new Stored(provider, [KV, DB], time.clock), others })
    await time.until(() => scene.stored.value(KV) === 'first' && scene.stored.value(DB) !== undefined, MINUTE)
    scene.first.db = scene.stored.value(DB) ?? ''
    return scene
  }

  get shown() {
    return { kv: this.stored.value(KV), db: this.stored.value(DB) }
  }

  async write(password: string): Promise<void> {
    await must(this.server, 'POST', 'secret/data/app', { data: { password } })
  }

  /** The accessors of the tokens that our logins got and that are there. */
  async ownTokens(): Promise<readonly string[]> {
    return (await this.leasing.tokens()).filter(accessor => !this.#others.has(accessor))
  }

  /** How many credentials the engine has made, how many leases there are in the end, and whether what is given out is one of them. */
  async made(): Promise<{ readonly made: number; readonly leases: number; readonly isGood: boolean }> {
    this.stored.web.confirmed(this.stored.web.leases())
    await this.time.pass(3 * MINUTE, 5_000)
    // A real server revokes behind our back.
    const leases = await eventually(async () => {
      const there = await this.leasing.leases()
      if (there.length !== 1) throw new Error(`there are ${there.length} leases`)
      return there.length
    })
    const { made, users } = this.leasing.rabbit
    return { made, leases, isGood: users.has(this.stored.value(DB) ?? '') }
  }
}
