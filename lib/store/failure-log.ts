import type { Clock } from '../base/clock.ts'
import { listed } from '../base/listed.ts'
import type { Log } from '../base/log.ts'
import { showDependency, type Dependency } from '../dependency.ts'
import type { ProviderError } from '../errors.ts'

/** How long others are gathered after something was said of one, at first; twice as long each time that there were any. */
const GATHER_MS = 1_000

type Message = 'cannot read' | 'reading again'

/** What is said of one dependency or many. */
interface Line {
  readonly message: Message
  readonly data: Readonly<Record<string, string>>
}

interface Gathering {
  readonly message: Message
  readonly dependencies: Set<string>
  /** Says what there is by now. */
  readonly end: () => void
}

/** Says in the log what cannot be read any more, and what is read again.
 *
 *  Of the first it is said at once. Others of that provider of which the same is to be said, before long, share a line: a backend that is
 *  away is one event, and not one for each of a thousand dependencies. */
export class FailureLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #gatherings = new Map<string, Gathering>()

  constructor({ log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.#log = log
    this.#clock = clock
  }

  /** It fails, or for another reason than before.
   *  @param isServed whether what was last known before a restart is served meanwhile */
  failing(dependency: Dependency, { code, message, hint }: ProviderError, isServed: boolean): void {
    const shown = showDependency(dependency)
    this.#takeBack(shown, 'reading again')
    const serving = isServed ? { serving: 'what was last known' } : {}
    const data = { code, error: message, ...serving, ...(hint === undefined ? {} : { hint }) }
    this.#say(dependency.provider, shown, { message: 'cannot read', data })
  }

  /** Nothing has changed: one line for each reason, not one for each try. */
  stillFailing(dependency: Dependency, { code, message }: ProviderError): void {
    this.#log.debug('still cannot read', { dependency: showDependency(dependency), code, error: message })
  }

  recovered(dependency: Dependency): void {
    const shown = showDependency(dependency)
    // What was not said needs no end.
    if (this.#takeBack(shown, 'cannot read')) return
    this.#say(dependency.provider, shown, { message: 'reading again', data: {} })
  }

  /** Says what was gathered. */
  close(): void {
    for (const { end } of this.#gatherings.values()) end()
  }

  #say(provider: string, shown: string, { message, data }: Line): void {
    const shared = { message, data: withoutName(shown, data) }
    const key = JSON.stringify([provider, shared])
    const gathering = this.#gatherings.get(key)
    if (gathering !== undefined) return void gathering.dependencies.add(shown)
    this.#write({ message, data: { dependency: shown, ...data } })
    this.#gather(key, shared, GATHER_MS)
  }

  #takeBack(shown: string, message: Message): boolean {
    return [...this.#gatherings.values()].some(
      gathering => gathering.message === message && gathering.dependencies.delete(shown),
    )
  }

  #gather(key: string, { message, data }: Line, ms: number): void {
    const dependencies = new Set<string>()
    const say = () => {
      this.#gatherings.delete(key)
      if (dependencies.size > 0) this.#write({ message, data: { dependencies: listed([...dependencies]), ...data } })
    }
    const cancel = this.#clock.after(ms, () => {
      say()
      if (dependencies.size > 0) this.#gather(key, { message, data }, ms * 2)
    })
    const end = () => {
      cancel()
      say()
    }
    this.#gatherings.set(key, { message, dependencies, end })
  }

  #write({ message, data }: Line): void {
    this.#log[message === 'cannot read' ? 'warn' : 'info'](message, data)
  }
}

/** What an error says of a dependency, it says of others as well. */
function withoutName(shown: string, data: Line['data']): Line['data'] {
  const { error } = data
  return error?.startsWith(`${shown}: `) === true ? { ...data, error: error.slice(shown.length + 2) } : data
}
