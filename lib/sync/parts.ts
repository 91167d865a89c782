import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Mailbox } from '../base/mailbox.ts'
import type { SettleOptions } from '../bundle.ts'
import type { Dependency } from '../dependency.ts'
import type { OutputFile } from '../generation.ts'
import type { Notice } from '../notice.ts'
import type { Reading } from '../reading.ts'
import type { Rendered } from '../render/renderer.ts'
import type { Verdict } from '../gate/verdict.ts'
import type { Delivery } from '../notify/notifier.ts'
import type { Publisher } from '../publish/publisher.ts'
import type { Entry, Recovery } from '../state/recover.ts'

/** What the reconciler of one bundle works with. Everything is passed in, so that each part can be a real one or a test's. */
export interface Parts {
  readonly bundle: string
  readonly settle: SettleOptions
  readonly keep: number
  /** The ids of the hooks that a new generation is told to. */
  readonly hooks: readonly string[]
  readonly inputs: Inputs
  readonly renderer: { render(view: { get(dependency: Dependency): Reading | undefined }): Rendered }
  readonly publisher: Publisher
  /** Makes sure that nobody else writes where the publisher does, also after the place was replaced by another. Fails with
   *  `locked` when somebody does. */
  readonly hold: () => Promise<void>
  readonly journal: Journal
  readonly notifier: Notifier
  /** Runs every check on a staged generation; the first refusal counts. */
  readonly check: (directory: string, signal: AbortSignal) => Promise<Verdict>
  /** Watches how the application takes the visible generation, where a probe is configured. */
  readonly probe: ((signal: AbortSignal) => Promise<Verdict>) | undefined
  /** The paths that differ between two sets of files, sorted. */
  readonly changedPaths: (before: readonly OutputFile[], after: readonly OutputFile[]) => readonly string[]
  /** See `Contents.digest`. */
  readonly digestOf: (files: readonly OutputFile[]) => string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The store, as one bundle sees it. */
export interface Inputs {
  readonly changed: Mailbox<undefined>
  want(dependencies: readonly Dependency[]): void
  get(dependency: Dependency): Reading | undefined
  why(dependency: Dependency): string
  settled(dependencies: readonly Dependency[]): boolean
  /** What is visible is confirmed and nobody is owed anything: what was kept of what it was made from will do, until `hurry`. */
  unhurried(): void
  /** What was kept will not do: all that is wanted is read at once. Tells whether any of it was only what was kept. */
  hurry(): boolean
  /** The leases behind what is wanted, as it is read now. */
  leases(): ReadonlySet<string>
  /** What was rendered from these leases may be seen once this resolves: then a restart finds nothing that is older than what it was
   *  rendered from. Never rejects. */
  publishing(leases: ReadonlySet<string>): Promise<void>
  /** The application has confirmed what was rendered from these leases: of the others it uses none. */
  confirmed(leases: ReadonlySet<string>): void
}

export interface Journal {
  /** Writes an entry; it is durable when this resolves. */
  append(entry: Entry): Promise<void>
  /** What the entries say about the visible generation and those that lie there. */
  recover(visible: number | undefined, generations: readonly number[]): Recovery
}

export interface Notifier {
  tell(notice: Notice, owed: readonly string[]): Delivery
  owed(): readonly { readonly hook: string; readonly error: string | undefined }[]
}
