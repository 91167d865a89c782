import type { Note } from '../lib/provider.ts'
import type { SealedState } from '../lib/state/sealed-state.ts'

/** The notes of a configuration's providers: in memory for the next configuration, and sealed for the next process. */
export class Notes {
  readonly #texts = new Map<string, string>()
  #sealed: SealedState | undefined

  /** Takes up what was kept: from now on there is something to read. */
  open(sealed: SealedState | undefined, before: ReadonlyMap<string, string>): void {
    this.#sealed = sealed
    for (const [key, text] of before) if (!this.#texts.has(key)) this.#texts.set(key, text)
  }

  of(provider: string, identity: string): Note {
    const key = JSON.stringify([provider, identity])
    return {
      read: async () => this.#texts.get(key) ?? (await this.#sealed?.note(provider)),
      write: text => {
        this.#texts.set(key, text)
        this.#sealed?.putNote(provider, text)
      },
    }
  }

  /** All notes, for the configuration that takes the place of this one. */
  handOver(): ReadonlyMap<string, string> {
    return this.#texts
  }
}
