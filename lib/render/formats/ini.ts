import type { IniDialect, OutputFormat } from '../../format.ts'
import { withJson } from './flatten.ts'
import { isMap, mapFor, type Plain, type PlainMap } from './plain.ts'
import { checkText, ELSEWHERE, placeOf, Refusal, shownKey } from './refusal.ts'

type IniFormat = Extract<OutputFormat, { readonly name: 'ini' }>
type Texts = readonly (readonly [string, string])[]

/** A map as INI: each map in it is a section, what is deeper or a list is one line of JSON. Keys that are in no map go into
 *  `section`, or stand before the first one. */
export function encodeIni(value: Plain, { dialect, section }: IniFormat): string {
  const map = mapFor('INI', value)
  const own = withJson(new Map([...map].filter(([, item]) => !isMap(item))), READER)
  const maps = [...map].filter((entry): entry is [string, PlainMap] => isMap(entry[1]))
  const blocks = maps.map(([name, items]) => block(name, withJson(items, READER), dialect))
  if (own.length > 0) blocks.unshift(block(section, own, dialect))
  checkSections(
    own.length > 0 && section !== undefined ? [section, ...maps.map(([name]) => name)] : maps.map(([name]) => name),
  )
  return blocks.join('\n')
}

const READER = 'an INI file'

function checkSections(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return
  throw new Refusal(
    `two sections want to be ${shownKey(twice)}`,
    'give section: another name, or leave the map out with except',
  )
}

function block(section: string | undefined, texts: Texts, dialect: IniDialect): string {
  if (section === undefined && dialect === 'python') {
    throw new Refusal(
      `${shownKey(texts[0]?.[0] ?? '')} is in no section, and Python reads no such keys`,
      'name one with section:',
    )
  }
  if (section !== undefined) checkSection(section, dialect)
  const names = new Map<string, string>()
  const lines = texts.map(([key, text]) => {
    if (!KEY.test(key)) {
      throw new Refusal(`${shownKey(key)} is no key of ${READER}: want letters, digits, _, . and -`, RENAME)
    }
    if (dialect === 'plain' && WORD.test(key)) {
      throw new Refusal(`${shownKey(key)} is no key but a value to some readers of INI, such as PHP`, RENAME)
    }
    const other = names.get(key.toLowerCase())
    if (other !== undefined) {
      throw new Refusal(
        `${shownKey(other)} and ${shownKey(key)} are one key to readers of INI, which know no case`,
        RENAME,
      )
    }
    names.set(key.toLowerCase(), key)
    checkText(key, text, READER)
    return `${key} = ${WRITERS[dialect](key, text)}`.trimEnd() + '\n'
  })
  return (section === undefined ? '' : `[${section}]\n`) + lines.join('')
}

function checkSection(name: string, dialect: IniDialect): void {
  if (!SECTION.test(name)) {
    throw new Refusal(
      `${shownKey(name)} is no name of a section: want no brackets, control characters or blanks around it`,
      RENAME,
    )
  }
  if (dialect !== 'verbatim' && name === 'DEFAULT') {
    throw new Refusal(
      'the keys of a section "DEFAULT" are in all other sections as well to Python',
      'rename it at the source, or leave it out with except; where just that is meant, dialect: verbatim writes it',
    )
  }
  if (dialect === 'plain' && /[;#%\\"'`]/.test(name)) {
    throw new Refusal(
      `the section ${shownKey(name)} has a character (; # % \\ or a quote) that readers of INI take differently`,
      RENAME,
    )
  }
}

const RENAME = 'rename it at the source or with upper: true, or leave it out with except'
const KEY = /^[\w.-]+( [\w.-]+)*$/
const WORD = /^(?:null|none|true|false|yes|no|on|off)$/i
const SECTION = /^(?! )[^[\]\p{Cc}]+(?<! )$/u

const WRITERS: Readonly<Record<IniDialect, (key: string, text: string) => string>> = {
  /** What readers that take values as they stand agree on, though one knows comments, another quotes, a third escapes. */
  plain(key, text) {
    if (/[;#%\\]|^["'`]|["'`]$/.test(text)) {
      throw new Refusal(
        `${placeOf(key)} has a character (; # % \\, or a quote at an end) that readers of INI take differently`,
        'say who reads it with dialect: verbatim or python, or quote it as its reader wants in a template',
      )
    }
    return oneLine(key, text)
  },
  /** For readers that know neither comments behind values nor quotes nor escapes. */
  verbatim: oneLine,
  /** For Python's ConfigParser with its usual interpolation; further lines are indented. */
  python(key, text) {
    const [first = '', ...more] = text.split('\n')
    if (more.at(-1) === '' || more.some(line => /^[;#]/.test(line))) {
      throw refusal(key, 'a line break at its end or a line like a comment')
    }
    const lines = [first, ...more].map(line => oneLine(key, line).replaceAll('%', '%%'))
    return lines.map((line, i) => (i === 0 || line === '' ? line : `\t${line}`)).join('\n')
  },
}

function oneLine(key: string, text: string): string {
  if (/[^\P{Cc}\t]/u.test(text)) throw refusal(key, 'a line break or another control character')
  if (/^\s|\s$/.test(text)) throw refusal(key, 'blanks at an end')
  return text
}

function refusal(key: string, what: string): Refusal {
  return new Refusal(`${placeOf(key)} has ${what}, which ${READER} cannot hold`, ELSEWHERE)
}
