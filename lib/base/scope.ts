/** Owns what was started: tasks and things to close. Ending a scope aborts its signal, waits for every task, then closes
 *  in reverse order; so nothing started in it can outlive it. It knows nothing of what it owns. */
export class Scope {
  readonly #abort = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  readonly #closers: (() => Promise<void> | void)[] = []
  readonly #onFailure: (error: unknown) => void

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

  /** Ends the scope. May be called again; the second call waits for the same end. */
  async end(reason: Error): Promise<void> {
    this.#abort.abort(reason)
    await Promise.all(this.#tasks)
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) await closer()
  }
}
