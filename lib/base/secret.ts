import { inspect } from 'node:util'

const MASK = '[secret]'

/** A text that no accident prints: `String()`, `JSON.stringify`, `util.inspect` and template literals show `[secret]`.
 *  Only `reveal()` gives the text, at the one place that sends it. */
export class Secret {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  reveal(): string {
    return this.#text
  }
  toString(): string {
    return MASK
  }
  toJSON(): string {
    return MASK
  }
  [inspect.custom](): string {
    return MASK
  }
}

/** Shorter texts are not searched for: they would mask half of every line and protect nothing. */
const REDACTED_LENGTH_MIN = 4
/** How many texts are remembered; the oldest goes first. */
const REDACTED_COUNT_MAX = 10_000

/** The last line of defence for logs and messages: knows the sensitive texts that passed through, and masks them.
 *  Nothing relies on it; values are kept out of messages where the messages are made. */
export class Redactor {
  readonly #texts = new Set<string>()
  #pattern: RegExp | undefined

  /** Remembers a text, and the forms in which it may come back: its JSON, URL and base64 spellings, and each of its lines. */
  add(text: string): void {
    for (const form of formsOf(text)) {
      if (form.length < REDACTED_LENGTH_MIN || this.#texts.has(form)) continue
      this.#texts.add(form)
      this.#pattern = undefined
      if (this.#texts.size > REDACTED_COUNT_MAX) this.#texts.delete(this.#texts.values().next().value as string)
    }
  }

  /** The text with every remembered one masked. */
  redact(text: string): string {
    if (this.#texts.size === 0) return text
    // Longest first, so that a text is masked before a part of it is.
    this.#pattern ??= new RegExp(
      [...this.#texts]
        .toSorted((a, b) => b.length - a.length)
        .map(form => RegExp.escape(form))
        .join('|'),
      'g',
    )
    return text.replace(this.#pattern, MASK)
  }
}

function formsOf(text: string): readonly string[] {
  const trimmed = text.trim()
  return [
    text,
    trimmed,
    ...(trimmed.includes('\n') ? trimmed.split('\n').map(line => line.trim()) : []),
    JSON.stringify(trimmed).slice(1, -1),
    trimmed.isWellFormed() ? encodeURIComponent(trimmed) : trimmed,
    Buffer.from(trimmed, 'utf8').toString('base64'),
  ]
}
