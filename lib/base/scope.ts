/** Owns what was started: tasks and things to close. Ending a scope aborts its signal, waits for every task, then closes
 *  in reverse order; so nothing started in it can outlive it. It knows nothing of what it owns. */
export class Scope {
  readonly #abort = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  readonly #closers: (() => Promise<void> | void)[] = []
  readonly #onFailure: (error: unknown) => void
  #ending: Promise<void> | undefined

  /** @param onFailure is told of a task that rejected before the scope ended; after that, rejections are the expected end. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  /** Aborts when the scope ends. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Starts a task, which must stop when the scope's signal aborts. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    const running = task(this.signal)
      .catch((error: unknown) => {
        if (!this.signal.aborted) this.#onFailure(error)
      })
      .finally(() => this.#tasks.delete(running))
    this.#tasks.add(running)
  }

  /** Adds something to close when the scope ends; the last added is closed first. */
  onEnd(closer: () => Promise<void> | void): void {
    this.#closers.push(closer)
  }

  /** Ends the scope. May be called again; the second call waits for the same end. A closer that fails does not keep the
   *  others from closing; the first such error is thrown when all is closed. */
  end(reason: Error): Promise<void> {
    this.#ending ??= this.#end(reason)
    return this.#ending
  }

  async #end(reason: Error): Promise<void> {
    this.#abort.abort(reason)
    // Again, because a task that is ending may have started another.
    while (this.#tasks.size > 0) await Promise.all(this.#tasks)
    const failures: unknown[] = []
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
