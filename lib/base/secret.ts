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
 *  Nothing relies on it; values are kept out of messages where the messages are made.
 *
 *  The texts are found by how they begin and not by one regular expression of them all: that takes longer to compile with
 *  each text (400 ms for 10,000), and would be compiled again whenever a secret is rotated. */
export class Redactor {
  readonly #texts = new Set<string>()
  /** The texts by their first two UTF-16 units, the longest first, so that a text is masked before a part of it is. */
  readonly #byStart = new Map<number, string[]>()

  /** Remembers a text, and the forms in which it may come back: its JSON, URL, base64 and hexadecimal spellings, each of its
   *  lines, and what it gives to names, as in `password = …` or `"password": "…"`. */
  add(text: string): void {
    for (const form of formsOf(text)) {
      if (form.length < REDACTED_LENGTH_MIN || this.#texts.has(form)) continue
      this.#texts.add(form)
      const start = startAt(form, 0)
      const others = this.#byStart.get(start) ?? []
      const place = others.findIndex(other => other.length < form.length)
      this.#byStart.set(start, others.toSpliced(place < 0 ? others.length : place, 0, form))
      if (this.#texts.size > REDACTED_COUNT_MAX) this.#forget(this.#texts.values().next().value as string)
    }
  }

  /** The text with every remembered one masked. */
  redact(text: string): string {
    const parts: string[] = []
    let done = 0
    for (let at = 0; at + REDACTED_LENGTH_MIN <= text.length;) {
      const found = this.#byStart.get(startAt(text, at))?.find(form => text.startsWith(form, at))
      if (found === undefined) {
        at++
        continue
      }
      parts.push(text.slice(done, at), MASK)
      at += found.length
      done = at
    }
    return done === 0 ? text : parts.join('') + text.slice(done)
  }

  #forget(form: string): void {
    this.#texts.delete(form)
    const start = startAt(form, 0)
    const others = (this.#byStart.get(start) ?? []).filter(other => other !== form)
    if (others.length === 0) this.#byStart.delete(start)
    else this.#byStart.set(start, others)
  }
}

function startAt(text: string, at: number): number {
  return text.charCodeAt(at) * 0x10000 + text.charCodeAt(at + 1)
}

function formsOf(text: string): readonly string[] {
  const trimmed = text.trim()
  const bytes = Buffer.from(trimmed, 'utf8')
  return [
    text,
    trimmed,
    ...(trimmed.includes('\n') ? trimmed.split('\n').map(line => line.trim()) : []),
    ...assignedIn(trimmed),
    JSON.stringify(trimmed).slice(1, -1),
    trimmed.isWellFormed() ? encodeURIComponent(trimmed) : trimmed,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
}

/** A name, `:` or `=`, and what is given to it, as JSON, YAML, TOML, dotenv and INI all write it. The name's length is bounded
 *  and begins nowhere in the middle, so that a long text takes no long time. */
const ASSIGNMENT =
  /(?<![\w.-])[\w.-]{1,64}["']?[ \t]*[:=][ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([^\s"',;{}[\]][^\n"',;{}[\]]*))/g
/** What is shorter (`true`, `8080`, `nginx`) is most likely no secret, and would mask half of every line. */
const ASSIGNED_LENGTH_MIN = 8

/** A program that was given a secret file says only the part of it that it does not like. */
function assignedIn(text: string): readonly string[] {
  const values = [...text.matchAll(ASSIGNMENT)].flatMap(([, double, single, plain = '']) => {
    if (double !== undefined) return [double, unescaped(double)]
    // Where there are no quotes, a comment may follow.
    return single === undefined ? [plain.trim(), plain.split(/\s/, 1)[0] ?? ''] : [single]
  })
  return values.filter(value => value.length >= ASSIGNED_LENGTH_MIN)
}

/** What stands between double quotes, as its reader understands it. */
function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}
