import { int, Struct } from '../base/value.ts'

/** Go's channel of integers: a range takes them out of it, one by one, and so none is there twice. */
export class Channel extends Struct {
  #next: bigint
  readonly #end: bigint

  /** Holds the integers from `start` up to but not including `end`. */
  constructor(start: bigint, end: bigint) {
    super('<-chan int64', new Map())
    this.#next = start
    this.#end = end
  }

  /** The next one; undefined once there are no more. */
  receive(): number | bigint | undefined {
    return this.#next < this.#end ? int(this.#next++) : undefined
  }
}
