import { readFileSync } from 'node:fs'
import { fromBytes } from '../../../lib/base/text.ts'

/** Words that mean something to the lexer: at random places they lead further into it than random bytes do. */
const WORDS = [
  '{{ }} {{- -}} {{/* */}} /* */ [[ ]] ( ) | , . := = - +'.split(' '),
  '" \' ` \\ $ $x .a .a.b $x.a \0 \ufeff é ☺ 𝄞 \udcff'.split(' '),
  'if else end range with define block template break continue nil true printf toUpper nope'.split(' '),
  '0 1 0x 1e9 1_0 0b2 1i 1+2i 1.5p-3 \'a\' "a" "\\xff" `r` 9223372036854775808'.split(' '),
  [' ', '\n', '\t', '\r\n', '{{- ', ' -}}', '{{end}}', '{{else}}', '{{if .}}', '{{range $i, $x := .}}', '{{with .a}}'],
  ['{{define "a"}}', '{{block "b" .}}', '{{template "a"}}'],
].flat()

/** Long texts are rare, since they are what takes the time. */
const BYTES_MAX = 48
const WORDS_MAX = 24
const MUTATIONS_MAX = 4
const REPETITIONS = 20_000
const REPEATED_EVERY = 10_000

/** Makes the inputs of one seed: half of them real templates with something changed, the others random bytes, and words. */
export class Inputs {
  readonly #templates: readonly string[]
  #state: number

  constructor(seed: number) {
    this.#templates = realTemplates()
    this.#state = seed
  }

  /** The input of a number; numbers must be asked for in their order, from 0. */
  next(number: number): string {
    if (number % REPEATED_EVERY === REPEATED_EVERY - 1)
      return (this.#pick(WORDS) + this.#pick(WORDS)).repeat(REPETITIONS)
    if (number % 2 === 0) return this.#mutated(this.#pick(this.#templates))
    return number % 4 === 1 ? this.#bytes() : this.#words()
  }

  #bytes(): string {
    return fromBytes(Uint8Array.from({ length: this.#below(BYTES_MAX) }, () => this.#below(256)))
  }

  #words(): string {
    return Array.from({ length: this.#below(WORDS_MAX) }, () => this.#pick(WORDS)).join('')
  }

  #mutated(template: string): string {
    let text = template
    for (let left = 1 + this.#below(MUTATIONS_MAX); left > 0; left--) {
      const from = this.#below(text.length + 1)
      const to = Math.min(text.length, from + this.#below(8))
      const replacement = this.#below(3) === 0 ? '' : this.#below(2) === 0 ? this.#pick(WORDS) : text.slice(from, to)
      text = text.slice(0, this.#below(2) === 0 ? from : to) + replacement + text.slice(to)
    }
    return text
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T
  }

  /** An integer of [0, limit), by xorshift. */
  #below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }
}

/** Long ones are left out: a million of them would take too long. */
const LENGTH_MAX = 120

/** The templates of the recorded rows. */
function realTemplates(): readonly string[] {
  const files = [
    'go-parity/rows/random',
    'go-parity/rows/control',
    'go-parity/rows/syntax',
    'function-parity/rows/random',
  ]
  return files
    .flatMap(name => readFileSync(new URL(`../${name}.jsonl`, import.meta.url), 'utf8').split('\n'))
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as { readonly text: unknown }).text)
    .filter((text): text is string => typeof text === 'string' && text.length <= LENGTH_MAX)
}
