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

let compiled: RegExp | undefined

/** Compiled when it is first needed: classes of letters take their time. */
function wordPattern(): RegExp {
  // Bytes that are no text belong to the character after them, or to the last word.
  const bytes = String.raw`[\ufffd\ud800-\udfff]`
  const connector = String.raw`[\-_\p{White_Space}]`
  const chinese = String.raw`[\u3400-\u4d85\u4e00-\u9fcc\u{20000}-\u{2b81d}]`
  const capital = `${bytes}*\\p{Lu}`
  const small = String.raw`(?!${chinese})[\p{L}--\p{Lu}]`
  const other = String.raw`(?!${connector}|${small})[^\p{P}\p{N}\p{Lu}\ufffd\ud800-\udfff]`
  const some = (letter: string) => `(?:${bytes}*${letter})+`
  // In the order of KINDS. The last of several capitals begins the word that follows.
  const words = [
    some(connector),
    some(String.raw`(?!${connector})\p{P}`),
    `${capital}(?:(?:${capital})*(?!${bytes}*${small})|${some(small)})`,
    some(small),
    some(String.raw`\p{N}`),
    some(other),
    `${bytes}+`,
  ]
  compiled ??= new RegExp(words.map(word => `(${word}(?:${bytes}+$)?)`).join('|'), 'gv')
  return compiled
}

function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(wordPattern()), ([word, ...groups]) => {
    return { kind: KINDS[groups.findIndex(group => group !== undefined)] ?? 'other', text: word }
  })
}

function lowered({ kind, text }: Word, connector: string): string {
  if (kind === 'connector') return Array.from(text, () => connector).join('')
  return kind === 'capital'
    ? Array.from(text.toWellFormed(), each => (isUpper(each) ? lowerOf(each) : each)).join('')
    : text
}
