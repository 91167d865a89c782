import type { Clock } from '../base/clock.ts'
import type { Redactor } from '../base/secret.ts'

/** What hooks need of the world around. */
export interface HookHost {
  readonly clock: Clock
  readonly redactor: Redactor
  /** Our own environment, of which children get a small part. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** @default systemProcesses */
  readonly processes?: Processes
}

/** The other processes of the machine or Pod. */
export interface Processes {
  /** Where they are seen. @default '/proc' */
  readonly proc: string
  /** Our own. */
  readonly pid: number
  readonly uid: number | undefined
  /** Sends a signal. Throws Node's error: ESRCH, EPERM. */
  kill(pid: number, signal: NodeJS.Signals): void
}

/** The processes that we really see. */
export const systemProcesses: Processes = {
  proc: '/proc',
  pid: process.pid,
  uid: process.getuid?.(),
  kill(pid, signal) {
    process.kill(pid, signal)
  },
}
