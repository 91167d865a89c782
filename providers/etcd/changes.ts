import { ChangeStream, type ChangeStreamOptions } from './change-stream.ts'
import { Following } from './following.ts'
import type { Range } from './range.ts'

/** Whatever is followed, over one connection, which is there while anything is. */
export class Changes {
  readonly #options: Omit<ChangeStreamOptions, 'ended'>
  readonly #streams = new Map<Following, ChangeStream>()
  #stream: ChangeStream | undefined

  constructor(options: Omit<ChangeStreamOptions, 'ended'>) {
    this.#options = options
  }

  /** Follows a range from this revision on. */
  follow(range: Range, start: number): Following {
    this.#stream ??= new ChangeStream({ ...this.#options, ended: stream => this.#forget(stream) })
    const following = new Following(range, start)
    this.#streams.set(following, this.#stream)
    this.#stream.add(following)
    return following
  }

  leave(following: Following): void {
    const stream = this.#streams.get(following)
    this.#streams.delete(following)
    stream?.remove(following)
    if (stream?.isIdle === true) stream.close()
  }

  close(): void {
    this.#stream?.close()
  }

  #forget(stream: ChangeStream): void {
    if (this.#stream === stream) this.#stream = undefined
  }
}
