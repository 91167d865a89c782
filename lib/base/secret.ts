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

/** Passwords and tokens are not longer. They are remembered apart from longer texts, so that a file that changes often makes nobody
 *  forget a password. */
const SHORT_LENGTH_MAX = 1_024
/** Longer texts are remembered by their parts alone: nobody quotes all of one, and its spellings would take eight times its size.
 *  Keys and certificates are shorter. */
const WHOLE_LENGTH_MAX = 4_096
/** Into pieces of this length a line of such a text is cut: what is quoted of it shows less than two pieces. */
const PIECE_LENGTH = 128
/** How many forms are remembered of short and of other texts, and how many characters they have together; the oldest go first.
 *  A form costs about 200 bytes beside its characters, so both are 10 MiB at most. */
const SHORT = { countMax: 10_000, charactersMax: 2 * 1024 * 1024 }
const LONG = { countMax: 20_000, charactersMax: 2 * 1024 * 1024 }

/** The last line of defence for logs and messages: knows the sensitive texts that passed through, and masks them.
 *  Nothing relies on it; values are kept out of messages where the messages are made.
 *
 *  A text is not forgotten when its reading is replaced: an error on its way, or the application, may still say it. It goes when
 *  newer ones need its place, and one that is added again is among the newest. */
export class Redactor {
  readonly #short = new Forms(SHORT)
  readonly #long = new Forms(LONG)

  /** Remembers a text, and the forms in which it may come back: its JSON, URL, base64 and hexadecimal spellings, each of its
   *  lines, and what it gives to names, as in `password = …` or `"password": "…"`. Of a very long text, only the lines and what it
   *  gives to names. */
  add(text: string): void {
    const trimmed = text.trim()
    if (trimmed.length > WHOLE_LENGTH_MAX) {
      for (const part of partsOf(trimmed)) for (const piece of piecesOf(part)) this.#long.add(copyOf(piece))
      return
    }
    // Whatever is cut out of it may keep it.
    const whole = copyOf(trimmed)
    const forms = whole.length > SHORT_LENGTH_MAX ? this.#long : this.#short
    if (text.length > whole.length && text.length <= WHOLE_LENGTH_MAX) forms.add(copyOf(text))
    forms.add(whole)
    const isPlain = PLAIN.test(whole)
    for (const spelling of isPlain ? codedIn(whole) : spellingsOf(whole)) if (spelling !== whole) forms.add(spelling)
    if (isPlain) return
    for (const part of partsOf(whole)) if (part !== whole) forms.add(part)
  }

  /** How many forms it has forgotten so far. */
  get forgotten(): number {
    return this.#short.forgotten + this.#long.forgotten
  }

  /** The text with every remembered one masked. */
  redact(text: string): string {
    const parts: string[] = []
    let done = 0
    for (let at = 0; at + FORM_LENGTH_MIN <= text.length;) {
      const start = startAt(text, at)
      const length = Math.max(this.#short.lengthAt(text, at, start), this.#long.lengthAt(text, at, start))
      if (length === 0) {
        at++
        continue
      }
      parts.push(text.slice(done, at), MASK)
      at += length
      done = at
    }
    return done === 0 ? text : parts.join('') + text.slice(done)
  }
}

/** Shorter texts are not searched for: they would mask half of every line and protect nothing. */
const FORM_LENGTH_MIN = 4

/** Texts that are looked for, within bounds.
 *
 *  They are found by how they begin and by their length, and not by one regular expression of them all: that takes longer to
 *  compile with each text (400 ms for 10,000), and would be compiled again whenever a secret is rotated. */
class Forms {
  readonly #countMax: number
  readonly #charactersMax: number
  /** The oldest first. */
  readonly #all = new Set<string>()
  #characters = 0
  forgotten = 0
  /** By their first four UTF-16 units, then by their length, the longest first: so that a text is masked before a part of it is. */
  readonly #byStart = new Map<number, { readonly length: number; readonly forms: Set<string> }[]>()

  constructor({ countMax, charactersMax }: { readonly countMax: number; readonly charactersMax: number }) {
    this.#countMax = countMax
    this.#charactersMax = charactersMax
  }

  /** @param form a string of its own, see `copyOf` */
  add(form: string): void {
    if (form.length < FORM_LENGTH_MIN) return
    const isKnown = this.#all.delete(form)
    this.#all.add(form)
    if (isKnown) return
    this.#characters += form.length
    const start = startAt(form, 0)
    const lengths = this.#byStart.get(start) ?? []
    if (lengths.length === 0) this.#byStart.set(start, lengths)
    let place = lengths.findIndex(({ length }) => length <= form.length)
    if (place < 0) place = lengths.length
    if (lengths[place]?.length !== form.length) lengths.splice(place, 0, { length: form.length, forms: new Set() })
    lengths[place]?.forms.add(form)
    if (this.#isOver(1)) this.#forgetOldest()
  }

  /** How long the longest is that stands at this place; 0 where none does. */
  lengthAt(text: string, at: number, start: number): number {
    const left = text.length - at
    const found = this.#byStart
      .get(start)
      ?.find(({ length, forms }) => length <= left && forms.has(text.slice(at, at + length)))
    return found?.length ?? 0
  }

  #isOver(part: number): boolean {
    return this.#all.size > part * this.#countMax || this.#characters > part * this.#charactersMax
  }

  /** An eighth at once: a set finds its first element the more slowly, the more before it were deleted. */
  #forgetOldest(): void {
    for (const form of this.#all) {
      if (!this.#isOver(7 / 8)) return
      this.#forget(form)
    }
  }

  #forget(form: string): void {
    this.#all.delete(form)
    this.forgotten++
    this.#characters -= form.length
    const start = startAt(form, 0)
    const lengths = this.#byStart.get(start) ?? []
    const place = lengths.findIndex(({ length }) => length === form.length)
    lengths[place]?.forms.delete(form)
    if (lengths[place]?.forms.size === 0) lengths.splice(place, 1)
    if (lengths.length === 0) this.#byStart.delete(start)
  }
}

/** A number for how a text begins at a place; texts that begin alike have the same. */
function startAt(text: string, at: number): number {
  let start = 0
  for (let i = at; i < at + FORM_LENGTH_MIN; i++) start = Math.imul(start, 0x01000193) ^ text.charCodeAt(i)
  return start
}

/** A string of its own: a part that V8 cuts out of a text keeps all of the text, unless it is shorter than this. */
const CUT_LENGTH_MIN = 13

function copyOf(text: string): string {
  if (text.length < CUT_LENGTH_MIN) return text
  return JSON.parse(JSON.stringify(text)) as string
}

/** What JSON and URLs spell as it is, in one line, and gives nothing to any name: most passwords. */
const PLAIN = /^[\w.~-]*$/

function spellingsOf(trimmed: string): readonly string[] {
  const json = JSON.stringify(trimmed).slice(1, -1)
  return [json, trimmed.isWellFormed() ? encodeURIComponent(trimmed) : trimmed, ...codedIn(trimmed)]
}

function codedIn(trimmed: string): readonly string[] {
  const bytes = Buffer.from(trimmed, 'utf8')
  return [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]
}

/** The lines of a text, and what it gives to names. */
function* partsOf(trimmed: string): Generator<string> {
  for (const line of trimmed.split('\n')) yield line.trim()
  yield* assignedIn(trimmed)
}

function* piecesOf(part: string): Generator<string> {
  for (let at = 0; at < part.length; at += PIECE_LENGTH) yield part.slice(at, at + PIECE_LENGTH)
}

/** A name, `:` or `=`, and what is given to it, as JSON, YAML, TOML, dotenv and INI all write it. The name's length is bounded
 *  and begins nowhere in the middle, so that a long text takes no long time. */
const ASSIGNMENT =
  /(?<![\w.-])[\w.-]{1,64}["']?[ \t]*[:=][ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([^\s"',;{}[\]][^\n"',;{}[\]]*))/g
/** What is shorter (`true`, `8080`, `nginx`) is most likely no secret, and would mask half of every line. */
const ASSIGNED_LENGTH_MIN = 8

/** A program that was given a secret file says only the part of it that it does not like. */
function* assignedIn(text: string): Generator<string> {
  for (const [, double, single, plain = ''] of text.matchAll(ASSIGNMENT)) {
    const bare = plain.trim()
    // Where there are no quotes, a comment may follow.
    const values =
      double === undefined
        ? single === undefined
          ? [bare, bare.split(/\s/, 1)[0] ?? '']
          : [single]
        : [double, unescaped(double)]
    for (const value of values) if (value.length >= ASSIGNED_LENGTH_MIN) yield value
  }
}

/** What stands between double quotes, as its reader understands it. */
function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}
