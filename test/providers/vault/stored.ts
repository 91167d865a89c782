import { onTestFinished } from 'vitest'
import { systemClock, type Clock } from '../../../lib/base/clock.ts'
import { jsonLog } from '../../../lib/base/json-log.ts'
import { Redactor } from '../../../lib/base/secret.ts'
import type { Dependency } from '../../../lib/dependency.ts'
import type { Provider } from '../../../lib/provider.ts'
import { Store, type Subscription } from '../../../lib/store/store.ts'
import { vault } from '../../../providers/vault/plugin.ts'

/** A store on a Vault provider, and a bundle that wants fields of its secrets. */
export class Stored {
  readonly store: Store
  readonly web: Subscription
  readonly #dependencies: ReadonlyMap<string, Dependency>
  readonly #lines: string[] = []

  /** @param references as `PATH#FIELD` */
  constructor(provider: Provider, references: readonly string[], clock: Clock = systemClock) {
    const redactor = new Redactor()
    const log = jsonLog({ level: 'debug', redactor, write: line => this.#lines.push(line) })
    this.store = new Store({ providers: new Map([['mine', provider]]), clock, random: Math.random, log, redactor })
    onTestFinished(() => this.store.close())
    this.web = this.store.subscribe('web')
    this.#dependencies = new Map(references.map(text => [text, vault.reference.ask('mine', text.split('#'))]))
    this.web.want([...this.#dependencies.values()])
  }

  /** What is given out now. */
  value(reference: string): string | undefined {
    const dependency = this.#dependencies.get(reference)
    const reading = dependency === undefined ? undefined : this.web.get(dependency)
    return reading === undefined ? undefined : (vault.reference.answer(reading, reference.split('#')) as string)
  }

  /** Why the provider's last reading failed. */
  get error(): string | undefined {
    return this.store.status(new Map([['mine', 'vault']]))[0]?.error
  }

  get said(): string {
    return this.#lines.join('')
  }
}
