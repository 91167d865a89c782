/** Where values come from: what a token stands for, or a field of it. */
export interface Origin {
  /** Whatever the functions' side has given; equal tokens are the same object. */
  readonly token: unknown
  /** The fields that were taken: map keys, names of struct fields, indexes of lists. */
  readonly path: readonly string[]
  /** What it is a part of, where it is one. */
  readonly whole?: Origin
}

/** Where a value comes from, as whoever traces says or is told. */
export interface Lineage {
  /** What the value is, if it is that as a whole: then its fields are that one's fields. */
  readonly exact?: Origin | undefined
  /** What it depends on beside. */
  readonly also: readonly Origin[]
}

/** How many parts a set names. What depends on more (all turns of a long range) names what they are parts of instead: that is as
 *  true, and each of a thousand pieces of output keeps a few origins and not a thousand. */
const PARTS_MAX = 64

/** Makes equal origins the same object. */
export class Origins {
  readonly #known = new Map<unknown, Map<string, Origin>>()

  of({ token, path }: Origin): Origin {
    const paths = this.#known.get(token) ?? new Map<string, Origin>()
    this.#known.set(token, paths)
    const key = JSON.stringify(path)
    const whole = path.length === 0 ? {} : { whole: this.of({ token, path: [] }) }
    const known = paths.get(key) ?? { token, path, ...whole }
    paths.set(key, known)
    return known
  }

  /** A field of what an origin stands for. */
  below({ token, path }: Origin, fields: readonly string[]): Origin {
    return this.of({ token, path: [...path, ...fields] })
  }
}

/** A set of origins; it is never changed. */
export class Sources implements Iterable<Origin> {
  static readonly none = new Sources(new Set())
  readonly #origins: ReadonlySet<Origin>

  private constructor(origins: ReadonlySet<Origin>) {
    this.#origins = origins
  }

  static of(origins: Iterable<Origin>): Sources {
    return Sources.none.with(new Sources(new Set(origins)))
  }

  /** These and more. Most of the time more is nothing new: then it is this very set. */
  with(more: Sources): Sources {
    if (more === this || more.#origins.isSubsetOf(this.#origins)) return this
    if (this.#origins.isSubsetOf(more.#origins)) return more
    const both = this.#origins.union(more.#origins)
    return new Sources(both.size <= PARTS_MAX ? both : new Set([...both].map(origin => origin.whole ?? origin)))
  }

  [Symbol.iterator](): Iterator<Origin> {
    return this.#origins[Symbol.iterator]()
  }
}

/** What is known of where a value comes from. */
export class Taint {
  static readonly none = new Taint(undefined, Sources.none)
  /** What the value is, if it is that as a whole: then its fields are that one's fields. */
  readonly exact: Origin | undefined
  /** What it depends on beside. */
  readonly also: Sources

  constructor(exact: Origin | undefined, also: Sources) {
    this.exact = exact
    this.also = also
  }

  /** Of a value that was made from others. */
  static from(sources: Sources): Taint {
    return sources === Sources.none ? Taint.none : new Taint(undefined, sources)
  }

  /** Everything that the value depends on. */
  get sources(): Sources {
    return this.exact === undefined ? this.also : this.also.with(Sources.of([this.exact]))
  }

  with(more: Sources): Taint {
    const also = this.also.with(more)
    return also === this.also ? this : new Taint(this.exact, also)
  }
}
