import type { Backoff } from '../base/backoff.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Redactor } from '../base/secret.ts'
import type { Provider } from '../provider.ts'
import type { ShrinkLimit } from './shrink-guard.ts'

export interface StoreOptions {
  readonly providers: ReadonlyMap<string, Provider>
  /** By provider, what it reads from: what was kept is used only where that is the same. */
  readonly identities?: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Is told of every sensitive text that is read. */
  readonly redactor: Redactor
  /** By provider, what its lists and trees may lose at once; what is left out is believed at once. */
  readonly shrinkLimits?: ReadonlyMap<string, ShrinkLimit>
  /** Before a failed watch is tried again. @default from 250 ms to 60 s */
  readonly backoff?: Backoff
}
