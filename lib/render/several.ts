import type { OutputFile } from '../generation.ts'
import type { Problem } from '../outcome.ts'
import type { Environment } from '../template/functions/standard.ts'
import { BYTES_MAX, type Part } from './assemble.ts'
import type { Answers, View } from './question.ts'
import { problemOf, Rendering, type Entry, type Refreshed } from './rendering.ts'
import type { Unit } from './unit.ts'

/** How many steps the templates of one entry may take together: what `Bounds` allows one of them, twice. They run in one turn of the
 *  event loop. */
const STEPS_MAX = 20_000_000

/** What an entry of many outputs consists of at a time. */
export interface Listing {
  /** What is as it should be published. */
  readonly files: readonly OutputFile[]
  /** What is rendered. */
  readonly items: readonly Item[]
}

/** One of the things that an entry renders. Its title says which of the entry's outputs it is. */
export interface Item extends Unit {
  /** Tells it from the others of a listing, and finds it again in the next. */
  readonly key: string
  /** Of an item whose dot is an element of a list or map, or made of one: which. */
  readonly element?: Element
  /** Whether an item of the same key would be rendered alike. */
  sameAs(other: Item): boolean
}

export interface Element {
  /** Its key or index. */
  readonly key: string
  /** Whether the dot is a pair whose Key and Value come from the element; else it is the element. */
  readonly isPaired: boolean
}

/** An entry of many outputs: one unit lists them, then each is a unit of its own, evaluated again only when its own answers, or
 *  what the listing says of it, changed. What is listed no more is gone from the next generation. */
export class Several implements Entry {
  readonly #title: string
  readonly #listing: Rendering<Listing>
  #items: readonly Listed[] = []
  #excess: string | undefined

  constructor(listing: Unit<Listing>) {
    this.#title = listing.title
    this.#listing = new Rendering(listing)
  }

  refresh(view: View, world: Environment): Refreshed {
    let { renders, asksOtherwise } = this.#listing.refresh(view, world)
    // While there is no listing, the items of the last one go on asking: else each gap would end their watches.
    if (renders > 0 && this.#isListed()) asksOtherwise = this.#take() || asksOtherwise
    let bytes = 0
    let steps = 0
    this.#excess = undefined
    for (const { rendering } of this.#items) {
      const refreshed = rendering.refresh(view, world)
      renders += refreshed.renders
      asksOtherwise ||= refreshed.asksOtherwise
      for (const { content } of rendering.result ?? []) bytes += content.length
      // What was not evaluated again counts, too: else it would be too much only after the next start.
      steps += rendering.steps
      // No more is rendered than can be published.
      if (bytes > BYTES_MAX) this.#excess = `${BYTES_MAX} bytes`
      else if (steps > STEPS_MAX) this.#excess = `${STEPS_MAX} steps`
      if (this.#excess !== undefined) break
    }
    return { renders, asksOtherwise }
  }

  get answers(): readonly Answers[] {
    return [this.#listing.answers, ...this.#items.map(({ rendering }) => rendering.answers)]
  }

  get parts(): readonly Part[] {
    const items = this.#items.map(({ item, rendering }) => ({ title: item.title, files: rendering.result ?? [] }))
    return [{ title: this.#title, files: this.#listing.result?.files ?? [] }, ...items]
  }

  get problem(): Problem | undefined {
    const { failure } = this.#listing
    if (failure !== undefined) return problemOf(failure.error, this.#title)
    for (const { item, rendering } of this.#items) {
      if (rendering.failure !== undefined) return problemOf(rendering.failure.error, item.title)
    }
    if (this.#excess === undefined) return undefined
    return { message: `${this.#title}: more than ${this.#excess} in all its files together` }
  }

  #isListed(): boolean {
    return this.#listing.failure === undefined && this.#listing.answers.missing.size === 0
  }

  /** Takes the items of a new listing, and for those that were there before, what they gave; tells whether any fell away. */
  #take(): boolean {
    const before = new Map(this.#items.map(listed => [listed.item.key, listed]))
    let left = this.#items.length
    this.#items = (this.#listing.result?.items ?? []).map(item => {
      const known = before.get(item.key)
      if (known === undefined || !item.sameAs(known.item)) return { item, rendering: new Rendering(item) }
      before.delete(item.key)
      left--
      return { item, rendering: known.rendering }
    })
    return left > 0
  }
}

interface Listed {
  readonly item: Item
  readonly rendering: Rendering<readonly OutputFile[]>
}
