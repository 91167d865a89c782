import { isUpper, lowerOf } from '../../letters.ts'

type Kind = 'connector' | 'punctuation' | 'capital' | 'letter' | 'number' | 'other' | 'none'

interface Word {
  readonly kind: Kind
  readonly text: string
}

/** A name's words in small letters with a connector between: `HTTPServer2name` is `http_server_2name`. */
export function separated(text: string, connector: string): string {
  const words = wordsOf(text)
  let at = 0
  let out = ''
  const current = () => words[at] ?? NO_WORD
  const emit = () => {
    out += lowered(current(), connector)
    at++
  }
  /** Between words, but not where something stands between them already. */
  const connect = (...beside: readonly Kind[]) => {
    if (!beside.includes(current().kind)) out += connector
  }
  while (at < words.length - 1) {
    const { kind } = current()
    emit()
    if (kind === 'number') {
      while (current().kind === 'letter' || current().kind === 'number') emit()
      connect('none', 'punctuation', 'connector')
    } else if (kind === 'capital' || kind === 'letter' || kind === 'other' || kind === 'none') {
      if (current().kind !== 'number') connect('connector', 'punctuation')
      else if (at < words.length - 1) {
        const { kind: next } = words[at + 1] ?? NO_WORD
        if (next !== 'letter') {
          emit()
          connect('connector', 'punctuation')
        } else {
          // Small letters after a number make a word with it.
          out += connector
          emit()
          while (current().kind === 'letter' || current().kind === 'number') emit()
          connect('none', 'connector', 'punctuation')
        }
      }
    }
  }
  return out + lowered(current(), connector)
}

const NO_WORD: Word = { kind: 'none', text: '' }

const KINDS: readonly Kind[] = ['connector', 'punctuation', 'capital', 'letter', 'number', 'other', 'none']

/** Bytes that are no text belong to the character after them, or to the last word. */
const BYTES = String.raw`[\ufffd\ud800-\udfff]`
const CONNECTOR = String.raw`[\-_\p{White_Space}]`
const CHINESE = String.raw`[\u3400-\u4d85\u4e00-\u9fcc\u{20000}-\u{2b81d}]`
const CAPITAL = String.raw`\p{Lu}`
const SMALL = String.raw`(?!${CHINESE})[\p{L}--\p{Lu}]`
const OTHER = String.raw`(?!${CONNECTOR}|${SMALL})[^\p{P}\p{N}\p{Lu}\ufffd\ud800-\udfff]`

const WORD = new RegExp(
  [
    some(CONNECTOR),
    some(String.raw`(?!${CONNECTOR})\p{P}`),
    // The last of several capitals begins the word that follows.
    `${BYTES}*${CAPITAL}(?:(?:${BYTES}*${CAPITAL})*(?!${BYTES}*${SMALL})|(?:${BYTES}*${SMALL})+)`,
    some(SMALL),
    some(String.raw`\p{N}`),
    some(OTHER),
    `${BYTES}+`,
  ]
    .map(each => `(${each}(?:${BYTES}+$)?)`)
    .join('|'),
  'gv',
)

function some(letter: string): string {
  return `(?:${BYTES}*${letter})+`
}

function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(WORD), ([word, ...groups]) => {
    return { kind: KINDS[groups.findIndex(group => group !== undefined)] ?? 'other', text: word }
  })
}

function lowered({ kind, text }: Word, connector: string): string {
  if (kind === 'connector') return Array.from(text, () => connector).join('')
  return kind === 'capital'
    ? Array.from(text.toWellFormed(), each => (isUpper(each) ? lowerOf(each) : each)).join('')
    : text
}
