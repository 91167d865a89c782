/** How many queries are remembered; the oldest goes first. */
const QUERIES_MAX = 20_000

/** The index that each query was answered with last. It outlives the watches: one that begins again after a failure must not be given
 *  what is older than what the last one had. */
export class Newest {
  readonly #indexes = new Map<string, number>()

  of(query: string): number {
    return this.#indexes.get(query) ?? 0
  }

  set(query: string, index: number): void {
    this.#indexes.delete(query)
    this.#indexes.set(query, index)
    if (this.#indexes.size > QUERIES_MAX) this.#indexes.delete(this.#indexes.keys().next().value as string)
  }
}
