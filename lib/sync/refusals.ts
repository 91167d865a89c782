/** How many contents are remembered; the oldest go first. */
const REFUSALS_MAX = 100

/** Contents that a check refused or the application took badly, by digest, and why. They are not tried again until an input
 *  changed and what came of it was taken well. */
export class Refusals {
  readonly #whys = new Map<string, string>()

  add(digest: string, why: string): void {
    this.#whys.delete(digest)
    this.#whys.set(digest, why)
    for (const oldest of this.#whys.keys()) if (this.#whys.size > REFUSALS_MAX) this.#whys.delete(oldest)
  }

  /** Why these contents are not tried, or undefined when they may be. */
  why(digest: string): string | undefined {
    return this.#whys.get(digest)
  }

  forget(): void {
    this.#whys.clear()
  }
}
