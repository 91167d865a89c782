import type { Mailbox } from '../base/mailbox.ts'
import { orAborted } from '../base/or-aborted.ts'

/** The rounds of one bundle's loop, for who waits for one: each is a pass, with what has to be taken up before it. */
export class Rounds {
  readonly #changed: Mailbox<undefined>
  #begun = 0
  readonly #waiting = new Set<{ readonly after: number; readonly resolve: () => void }>()

  /** @param changed what the loop comes round for */
  constructor(changed: Mailbox<undefined>) {
    this.#changed = changed
  }

  begin(): void {
    this.#begun++
  }

  /** It has come to its end, good or bad. */
  end(): void {
    for (const waiting of this.#waiting) {
      if (waiting.after >= this.#begun) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
    // Whatever it took for itself was meant for the next one, too.
    if (this.#waiting.size > 0) this.#changed.put(undefined)
  }

  /** Has the loop come round once more, as after a change, and resolves at the end of a round that began after this call. Rejects with
   *  the signal's reason. */
  async next(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = { after: this.#begun, resolve }
    this.#waiting.add(waiting)
    this.#changed.put(undefined)
    try {
      await orAborted(promise, signal)
    } finally {
      this.#waiting.delete(waiting)
    }
  }
}
