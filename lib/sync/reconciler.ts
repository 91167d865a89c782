import { exponentialBackoff } from '../base/backoff.ts'
import type { Contents, OutputFile } from '../generation.ts'
import type { Outcome } from '../outcome.ts'
import type { Delivery, DeliveryResult } from '../notify/notifier.ts'
import { owedNow } from './owed.ts'
import type { Parts } from './parts.ts'
import { problemOf, sayOutcome, spoken } from './problem.ts'
import { Refusals } from './refusals.ts'
import type { Recovery } from '../state/recover.ts'
import { whyNot } from './why-not.ts'
import { nextTurn } from './next-turn.ts'
import { settle } from './settle.ts'
import { nothingKnown, type Standing } from './standing.ts'
import { Rounds } from './rounds.ts'
import { finishPublish, type Stuck } from './unfinished.ts'

/** Between two tries to publish what cannot be published. */
const FAILURE_BACKOFF = exponentialBackoff({ longestMs: 30_000 })

/** Keeps one bundle as it should be: from readings to notice, one pass at a time, for ever.
 *
 *  A pass is steps 3 to 10 of the data path (`lib/README.md`). What is durable is the volume and the journal; this object holds
 *  only what can be found again from them, so a crash between any two steps is taken up by `recover`. */
export class Reconciler {
  readonly rounds: Rounds
  readonly #parts: Parts
  readonly #report: (standing: Standing) => void
  #standing = nothingKnown
  /** What is visible as contents: known once published or found in the journal. */
  #visibleDigest: string | undefined
  /** The files of the visible generation, where this process published it. */
  #shown: readonly OutputFile[] | undefined
  /** The leases that the visible generation was rendered from, where this process rendered it. */
  #leases: ReadonlySet<string> | undefined
  /** The number of the next generation, where that is known: nobody else gives one. */
  #next: number | undefined
  readonly #refused = new Refusals()
  #stuck: Stuck | undefined
  /** The last outcome that was logged. */
  #said = ''
  /** Whether the next turn begins with what is durable: at the start, and after a failure. */
  #mustRecover = true
  /** Orders passes and late conclusions one after another. */
  #last: Promise<unknown> = Promise.resolve()

  /** @param report is told whenever the standing changes. */
  constructor(parts: Parts, report: (standing: Standing) => void) {
    this.#parts = parts
    this.#report = report
    this.rounds = new Rounds(parts.inputs.changed)
  }

  /** Runs until the signal aborts. A failure that is not of the inputs (a full volume, a lost directory) is waited out, loudly,
   *  and then taken up like a crash: from what is durable. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, inputs } = this.#parts
    let backoff = FAILURE_BACKOFF
    try {
      for (;;) {
        this.rounds.begin()
        try {
          if (this.#mustRecover) await this.#inTurn(() => this.#recover(signal))
          const outcome = await this.#inTurn(() => this.#pass(signal))
          if (this.#stuck !== undefined) throw this.#stuck.error
          backoff = FAILURE_BACKOFF
          this.#succeed()
          this.#said = sayOutcome(outcome, this.#said, this.#parts)
          this.rounds.end()
          await nextTurn(outcome, this.#standing.visible, this.#parts, signal)
        } catch (error) {
          signal.throwIfAborted()
          this.#fail(error)
          this.rounds.end()
          const changed = await inputs.changed.takenWithin(backoff.durationMs(random), clock, signal)
          if (changed) await settle(inputs.changed, this.#parts.settle, clock, signal)
          backoff = backoff.next()
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await this.#last
    }
  }

  /** Takes up what a crash left: the publisher's own leftovers, an unfinished publish, a rollback, hooks owed. Needs no provider. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { publisher, hooks, hold, inputs } = this.#parts
    this.#shown = this.#leases = this.#next = undefined
    await hold()
    await publisher.prepare()
    this.#stuck = await finishPublish(publisher, visible => this.#recovery(visible))
    const visible = await publisher.visible()
    const recovery = await this.#recovery(visible)
    this.#visibleDigest = recovery.digest
    for (const [digest, why] of recovery.condemnedDigests) this.#refused.add(digest, `taken badly before: ${why}`)
    const hasConfirmed = recovery.confirmed || recovery.lastConfirmed !== undefined
    this.#stand({ visible, confirmed: recovery.confirmed, hasConfirmed, condemned: recovery.condemned })
    this.#mustRecover = false
    if (visible === undefined || this.#stuck !== undefined) return
    const { condemned, restores, lastConfirmed } = recovery
    if (!recovery.known) return this.#adopt(visible, signal)
    if (condemned !== undefined && restores === undefined && lastConfirmed !== undefined)
      return void (await this.#rollBack(visible, condemned, signal))
    const owed = owedNow(recovery, hooks)
    if (owed.length === 0 && recovery.confirmed) inputs.unhurried()
    else await this.#notify(visible, recovery.changed, owed, restores, signal)
  }

  /** Takes over a visible generation that the journal does not know: the state directory was lost, or is another one than an
   *  init container's. Nobody knows who was told of it, so everyone is; what it shows is taken from its files. */
  async #adopt(visible: number, signal: AbortSignal): Promise<void> {
    const { publisher, journal, hooks, digestOf, changedPaths } = this.#parts
    const files = await publisher.read(visible)
    const digest = digestOf(files)
    const changed = changedPaths([], files)
    await journal.append({ kind: 'intended', generation: visible, digest, hooks, changed })
    this.#visibleDigest = digest
    await this.#notify(visible, changed, hooks, undefined, signal)
  }

  /** One trip from readings to notice. */
  async #pass(signal: AbortSignal): Promise<Outcome> {
    const { inputs, renderer, publisher, hold } = this.#parts
    // The volume itself is asked what everyone sees, not our memory; and it may be another one than before.
    await hold()
    const visible = await publisher.visible()
    if (visible !== this.#standing.visible) {
      this.#visibleDigest = this.#shown = this.#leases = this.#next = undefined
      this.#stand({ visible, confirmed: false })
    }
    inputs.changed.clear()
    // 4. Render what changed, against what is known now.
    const rendered = renderer.render(inputs)
    // 5. Subscribe to exactly what was asked for.
    inputs.want(rendered.wanted)
    const leases = inputs.leases()
    // What was only kept may be why; and it is good enough to see below that nothing has changed, but never to be published.
    if (rendered.kind === 'broken' && inputs.hurry()) return this.#pass(signal)
    if (rendered.kind !== 'complete') return this.#stand({ outcome: whyNot(rendered, inputs) })
    // 6. Assemble: nothing to do when it is what everyone sees.
    const { digest, files } = rendered.contents
    if (digest === this.#stuck?.digest) throw this.#stuck.error
    const isSame = visible !== undefined && digest === this.#visibleDigest
    const isShown = isSame && (await publisher.heal(visible, new Set(files.map(({ path }) => path))))
    if (!isShown && inputs.hurry()) return this.#pass(signal)
    // It is not what this process published any more.
    if (isSame && !isShown) this.#shown = undefined
    if (isShown && this.#stuck === undefined) {
      await this.#collect(visible)
      if (this.#standing.confirmed) inputs.confirmed(leases)
      if (this.#standing.condemned === undefined)
        return this.#stand({ outcome: { kind: 'unchanged', generation: visible } })
    }
    const why = isShown ? this.#standing.condemned : this.#refused.why(digest)
    if (why !== undefined) return this.#stand({ outcome: { kind: 'rejected', digest, why } })
    return this.#stand({ outcome: await this.#publish(rendered.contents, leases, visible, signal) })
  }

  /** Steps 7 to 10: stage, check, make visible, tell, and wait how it is taken. */
  async #publish(
    { digest, files }: Contents,
    leases: ReadonlySet<string>,
    visible: number | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { publisher, check, inputs } = this.#parts
    this.#stand({ outcome: undefined })
    const mayBeSeen = inputs.publishing(leases)
    // 7. Stage: written and durable, unseen.
    const number = await this.#nextNumber(visible)
    const directory = await publisher.stage(number, files)
    // 8. Check.
    const verdict = await this.#orDiscarded(number, check(directory, signal))
    if (!verdict.ok) {
      if (verdict.inconclusive !== true) this.#refused.add(digest, verdict.why)
      await publisher.discard(number)
      return { kind: 'rejected', digest, why: verdict.why }
    }
    // 9. Publish.
    const changed = await mayBeSeen.then(() => this.#makeVisible(number, digest, files, visible, undefined))
    this.#leases = leases
    // 10. Notify, and see how it is taken.
    const taken = await this.#notify(number, changed, this.#parts.hooks, undefined, signal)
    await this.#collect(this.#standing.visible ?? number)
    if (taken !== undefined) return taken
    return { kind: 'published', generation: number, changed, confirmed: this.#standing.confirmed }
  }

  async #recovery(visible: number | undefined): Promise<Recovery> {
    return this.#parts.journal.recover(visible, await this.#parts.publisher.generations())
  }

  async #nextNumber(visible: number | undefined): Promise<number> {
    return (this.#next ??= (await this.#recovery(visible)).nextNumber)
  }

  /** Journals the intent, then makes the staged generation visible; gives the paths that differ from what was visible. */
  async #makeVisible(
    number: number,
    digest: string,
    files: readonly OutputFile[],
    before: number | undefined,
    restores: number | undefined,
  ): Promise<readonly string[]> {
    const { publisher, journal, hooks, log, bundle } = this.#parts
    // A hook that has not been told of what is visible hears now what it would have heard then, so that none misses a path.
    // Which generations lie there says nothing about what is owed.
    const { owed, changed: untold } = journal.recover(before, [])
    const differs = await this.#changed(before, number, files)
    const missed = [...(owed.length === 0 ? [] : untold), ...(this.#stuck?.changed ?? [])]
    const changed = [...new Set([...differs, ...missed])].toSorted()
    const intent = { kind: 'intended', generation: number, digest, hooks, changed } as const
    await this.#orDiscarded(number, journal.append(restores === undefined ? intent : { ...intent, restores }))
    await publisher.publish(number)
    this.#stuck = undefined
    this.#visibleDigest = digest
    this.#shown = files
    this.#next = number + 1
    this.#stand({ visible: number, confirmed: false, condemned: undefined, outcome: undefined })
    log.info('published', { bundle, generation: number, changed: changed.length })
    return changed
  }

  /** Waits for a step on which the publishing of a staged generation hangs. Where it fails nothing is left, or each try would leave
   *  another copy. */
  async #orDiscarded<T>(number: number, step: Promise<T>): Promise<T> {
    try {
      return await step
    } catch (error) {
      await this.#parts.publisher.discard(number).catch(() => {})
      throw error
    }
  }

  /** The paths that differ from what was visible: by our own memory where we published it, else by reading both back. */
  async #changed(before: number | undefined, number: number, files: readonly OutputFile[]): Promise<readonly string[]> {
    const { publisher, changedPaths } = this.#parts
    if (before === undefined) return changedPaths([], files)
    if (this.#shown !== undefined && before === this.#standing.visible) return changedPaths(this.#shown, files)
    return changedPaths(await publisher.read(before), await publisher.read(number))
  }

  /** Tells the hooks that are owed and concludes, now when every hook was reached at the first try, else as soon as that is so.
   *  Gives the outcome when it ended in a rollback. */
  async #notify(
    number: number,
    changed: readonly string[],
    owed: readonly string[],
    restores: number | undefined,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { notifier, publisher, bundle } = this.#parts
    const message = {
      bundle,
      generation: number,
      digest: this.#visibleDigest ?? '',
      changed,
      directory: publisher.directory(number),
    }
    const delivery = notifier.tell(restores === undefined ? message : { ...message, restores }, owed)
    await Promise.race([delivery.result, delivery.firstRound])
    const result = await Promise.race([delivery.result, Promise.resolve(undefined)])
    if (result !== undefined) return this.#conclude(number, delivery, result, restores, signal)
    // A hook that cannot be reached holds up nothing: it is tried again beside the loop until it is told or superseded.
    this.#concludeLate(number, delivery, delivery.result, restores, signal)
    return undefined
  }

  #concludeLate(
    number: number,
    delivery: Delivery,
    coming: Promise<DeliveryResult>,
    restores: number | undefined,
    signal: AbortSignal,
  ): void {
    const conclude = async (result: DeliveryResult) => {
      const { visible, condemned } = this.#standing
      if (number !== visible) return
      const outcome = await this.#conclude(number, delivery, result, restores, signal)
      if (outcome !== undefined) this.#stand({ outcome })
      // What the last pass said of it, as long as it was taken badly, does not hold any more.
      else if (condemned !== undefined) this.#parts.inputs.changed.put(undefined)
    }
    void coming.then(result => this.#later(() => conclude(result), signal))
  }

  /** Ends the probation of the visible generation: confirmed, or condemned and rolled back. */
  async #conclude(
    number: number,
    delivery: Delivery,
    result: DeliveryResult,
    restores: number | undefined,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { journal, inputs, probe, log, bundle } = this.#parts
    if (result.kind === 'superseded') return undefined
    const verdict =
      result.kind === 'refused' ? ({ ok: false, why: `${result.hook}: ${result.why}` } as const) : await probe?.(signal)
    if (verdict !== undefined && !verdict.ok) {
      await journal.append({
        kind: 'condemned',
        generation: number,
        digest: this.#visibleDigest ?? '',
        why: verdict.why,
      })
      log.warn('condemned', { bundle, generation: number, why: verdict.why })
      this.#stand({ condemned: verdict.why })
      // No ping-pong: what was itself put back stays, and the status says why.
      const outcome = restores === undefined ? await this.#rollBack(number, verdict.why, signal) : undefined
      // Where it has to stay, a hook that refused is called again, and may take it well in the end.
      const stays = this.#standing.visible === number && result.kind === 'refused'
      if (stays) this.#concludeLate(number, delivery, delivery.end, restores, signal)
      return outcome
    }
    await journal.append({ kind: 'confirmed', generation: number })
    if (restores === undefined) this.#refused.forget()
    this.#stand({ confirmed: true, hasConfirmed: true, condemned: undefined })
    log.info('confirmed', { bundle, generation: number })
    // What is confirmed is also what would be gone back to, so only its leases are in use.
    if (this.#leases !== undefined) inputs.confirmed(this.#leases)
    return undefined
  }

  /** Removes what no reader can still be on: all but the newest `keep` generations and the one to go back to. */
  async #collect(visible: number): Promise<void> {
    const { publisher, keep, journal } = this.#parts
    const generations = await publisher.generations()
    if (generations.length <= keep) return
    const { lastConfirmed } = journal.recover(visible, generations)
    await publisher.collect(keep, lastConfirmed === undefined ? [] : [lastConfirmed])
  }

  /** Publishes the last confirmed contents as a new generation; where there are none, what is visible stays. */
  async #rollBack(condemned: number, why: string, signal: AbortSignal): Promise<Outcome> {
    const { publisher, log, bundle } = this.#parts
    const { lastConfirmed, lastConfirmedDigest, digest } = await this.#recovery(condemned)
    if (digest !== undefined) this.#refused.add(digest, why)
    if (lastConfirmed === undefined || lastConfirmedDigest === undefined) {
      log.error('nothing to roll back to', { bundle, generation: condemned, why })
      return { kind: 'rejected', digest: digest ?? '', why: `${why}; there is no confirmed generation to go back to` }
    }
    const files = await publisher.read(lastConfirmed)
    const number = await this.#nextNumber(condemned)
    await publisher.stage(number, files)
    const changed = await this.#makeVisible(number, lastConfirmedDigest, files, condemned, lastConfirmed)
    this.#leases = undefined
    log.warn('rolled back', { bundle, condemned, generation: number, restores: lastConfirmed, why })
    await this.#notify(number, changed, this.#parts.hooks, lastConfirmed, signal)
    return { kind: 'rolled-back', condemned, generation: number, why }
  }

  /** Notes a failure; one log line when the story changes, not one for each try. */
  #fail(error: unknown): void {
    const { log, bundle } = this.#parts
    const problem = problemOf(error)
    if (this.#standing.failing?.message !== problem.message) log.error('pass failed', { bundle, ...spoken(problem) })
    this.#mustRecover = true
    this.#stand({ failing: problem, outcome: { kind: 'broken', problem } })
  }

  #succeed(): void {
    const { log, bundle } = this.#parts
    if (this.#standing.failing === undefined) return
    log.info('pass succeeded again', { bundle })
    this.#stand({ failing: undefined })
  }

  /** Does what a late answer leads to, in its turn; after the end it is left to the next start. */
  #later(task: () => Promise<void>, signal: AbortSignal): void {
    this.#inTurn(async () => {
      if (!signal.aborted) await task()
    }).catch((error: unknown) => {
      if (signal.aborted) return
      this.#fail(error)
      this.#parts.inputs.changed.put(undefined)
    })
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task)
    this.#last = turn.catch(() => {})
    return turn
  }

  #stand<Change extends Partial<Standing>>(change: Change): Change extends { outcome: infer O } ? O : undefined {
    this.#standing = { ...this.#standing, ...change }
    this.#report(this.#standing)
    return change.outcome as Change extends { outcome: infer O } ? O : undefined
  }
}
