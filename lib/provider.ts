import type { Clock, Random } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { Schema } from './base/schema.ts'
import type { Tree, Value } from './base/value.ts'
import type { Dependency } from './dependency.ts'
import type { Lease, Reading } from './reading.ts'

/** A configured connection to one backend.
 *
 *  Providers answer and the store asks again: a provider never retries, caches for others, throttles or logs a failure. */
export interface Provider {
  /** Yields the reading at once, then again whenever it may have changed.
   *
   *  Guaranteed by a provider: the newest reading is yielded in the end; a change is never missed for good. Allowed: to yield
   *  the same again, to leave out readings in between. What does not exist is a reading whose value is `absent`.
   *  Throws a `ProviderError` when the backend cannot be read; the store waits and calls again. Ends soon after the signal
   *  aborts, by returning or by throwing the signal's reason.
   *
   *  A reading with a lease is the last of its watch: the store ends the watch, renews the lease, and watches again only to
   *  replace what cannot be renewed. So each watch of it may make a new one (a credential, a certificate), and only once.
   *
   *  @param known what was kept of it over a restart and is served already, where its first reading was put off (`everyMs`): a provider
   *  that can see more cheaply that it is still so may yield it again */
  watch(dependency: Dependency, signal: AbortSignal, known?: Reading): AsyncIterable<Reading>
  /** How long a reading is taken for the newest while all is well, drawn anew with the jitter of each such wait; 0 for what is to be
   *  looked at now. After a restart the first reading is put off by any part of it, so that a fleet which restarts together asks as it
   *  did before. Without this method a change is seen at once, and nothing is put off.
   *  @param known what was kept of it */
  everyMs?(dependency: Dependency, known: Reading): number
  /** Asks for the lease's own duration once more, and gives what was granted, maybe less. Gives undefined when the backend knows
   *  no such lease: it has ended or was revoked, and the reading with it. Throws a `ProviderError` on anything else; the store
   *  asks again while the lease has time. Never makes a new one. Without this method leases are only replaced. */
  renew?(lease: Lease, signal: AbortSignal): Promise<Lease | undefined>
  /** Ends the lease now. One that has ended already is no error. Throws a `ProviderError`; the store asks again. */
  revoke?(lease: Lease, signal: AbortSignal): Promise<void>
  /** Whether each watch of it makes something, also where it has no lease (it writes): then it is not read again only because somebody
   *  asks for what is newest. @default false */
  makes?(dependency: Dependency): boolean
  /** The next `watch` is asked for by somebody who may have mended what failed: a failure that is remembered, so as not to ask too
   *  often, is forgotten. Nothing else is. Without this method nothing is remembered. */
  forgetFailure?(): void
  /** Whether the backend can be reached and read, for `doctor`. */
  check?(signal: AbortSignal): Promise<Health>
  /** Frees what the provider holds. May be called again. Watches have ended before. */
  close(): Promise<void>
}

export interface Health {
  readonly ok: boolean
  /** One line for people; no secrets. */
  readonly message: string
}

/** Makes providers of one type. */
export interface ProviderPlugin<Options = unknown> {
  /** The word after `type:` in the configuration. */
  readonly type: string
  /** Validated before anything is constructed. What is sensitive is a `credential()`. */
  readonly options: Schema<Options>
  /** What `ref "NAME://PATH#FIELD"` means; its argument is the path, and the field as a second one where it has fields. */
  readonly reference: Question
  /** What `tree: "NAME://PATH"` means, where the type has trees; its argument is the path, and its answer a `Tree`. */
  readonly tree?: Question
  /** The template functions that ask a provider of this type, by name. */
  readonly functions: Readonly<Record<string, Question>>
  /** Whether it reads what is on this machine anyway: its readings are then not kept for a restart. @default false */
  readonly isLocal?: boolean
  /** What its readings hang on (an address, a namespace), also where the environment says it, and nothing else: what was kept for a
   *  restart or a reload is used only while this stays the same. No credential. @default all options but the credentials */
  identity?(options: Options, environment: ProviderHost['environment']): string
  /** Makes a provider. Uses no network yet; rejects with a `bad-config` ProviderError only on what a schema cannot see. */
  open(options: Options, host: ProviderHost): Promise<Provider>
}

/** One way to ask. Both halves are pure: `ask` is called in every render and says what must be watched, `answer` takes what
 *  the template gets out of a reading. They throw an Error with a message for the template's author on bad arguments. */
export interface Question {
  ask(provider: string, args: readonly Value[]): Dependency
  /** Never called with an `absent` reading unless `answersAbsent`; else an absent reading is one that is waited for. */
  answer(reading: Reading, args: readonly Value[]): Value | Tree
  readonly answersAbsent?: boolean
  /** Whether a reference's field is for this question. Else the text that it answers is parsed by the path's extension, and the
   *  field is taken from that. */
  readonly hasFields?: boolean
}

/** A secret text of one provider, which the next process and the next configuration find, as far as the configuration lets anything be
 *  kept (`seal`), and only while the provider's identity stays the same. It may always be missing. */
export interface Note {
  /** The newest text, or undefined; not before the first watch, since until then it may be another's. */
  read(): Promise<string | undefined>
  /** Takes the place of what was written before. A failure is reported elsewhere: what cannot be kept is only missing later. */
  write(text: string): void
}

/** What a provider may use of the world around it. */
export interface ProviderHost {
  /** The name that the configuration gives this provider. */
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A private directory (0700) for what the provider keeps; made on first call, the same after a restart. */
  directory(): Promise<string>
  /** What must outlive the process and is secret: the credential that leases hang on, say. */
  readonly note: Note
  /** Our own environment, as it was at the start. */
  readonly environment: Readonly<Record<string, string>>
  /** Where relative paths of the configuration start. */
  readonly configDirectory: string
}
