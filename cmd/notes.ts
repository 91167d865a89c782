import type { Note } from '../lib/provider.ts'
import type { SealedState } from '../lib/state/sealed-state.ts'

/** The notes of a configuration's providers: in memory for the next configuration, and sealed for the next process. */
export class Notes {
  /** By key, whose note it is: of the providers of this configuration, and what they read from. */
  readonly #providers = new Map<string, string>()
  readonly #texts = new Map<string, string>()
  #sealed: SealedState | undefined
  #isHandedOver = false

  /** Takes up what was kept, after `of` was called for each provider: from now on there is something to read. The notes of other
   *  providers are forgotten. */
  open(sealed: SealedState | undefined, before: ReadonlyMap<string, string>): void {
    this.#sealed = sealed
    for (const [key, text] of before) {
      const provider = this.#providers.get(key)
      if (provider === undefined || this.#texts.has(key)) continue
      this.#texts.set(key, text)
      // The configuration before may not have kept it.
      sealed?.putNote(provider, text)
    }
  }

  of(provider: string, identity: string): Note {
    const key = JSON.stringify([provider, identity])
    this.#providers.set(key, provider)
    return {
      read: async () => this.#texts.get(key) ?? (await this.#sealed?.note(provider)),
      write: text => {
        // A provider that ends late knows less than the one that has taken its place.
        if (this.#isHandedOver) return
        this.#texts.set(key, text)
        this.#sealed?.putNote(provider, text)
      },
    }
  }

  /** All notes of this configuration, for the one that takes its place: what is written to this one from now on is lost. */
  handOver(): ReadonlyMap<string, string> {
    this.#isHandedOver = true
    return this.#texts
  }
}
