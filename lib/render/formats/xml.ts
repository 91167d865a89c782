import type { OutputFormat } from '../../format.ts'
import { flattened } from './flatten.ts'
import { isList, isMap, mapFor, textOf, type Plain, type PlainMap } from './plain.ts'
import { ELSEWHERE, placeOf, Refusal, shownKey } from './refusal.ts'

type XmlFormat = Extract<OutputFormat, { readonly name: 'xml' }>

/** A map as XML: an element a key, a list as the element again and again; or as java.util.Properties loads it from XML. */
export function encodeXml(value: Plain, { dialect, root }: XmlFormat): string {
  const map = mapFor('XML', value)
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n'
  return head + (dialect === 'java' ? propertiesOf(map) : element(root, map, '', ''))
}

function element(name: string, value: Plain, place: string, margin: string): string {
  if (!NAME.test(name)) {
    throw new Refusal(
      `${shownKey(name)} is no name of an element: want letters, digits, _, . and -, a letter or _ first, not xml`,
      'rename it at the source or with upper: true, or leave it out with except',
    )
  }
  if (isMap(value)) {
    const inside = [...value].map(([key, item]) =>
      elements(key, item, place === '' ? key : `${place}.${key}`, `${margin}  `),
    )
    return `${margin}<${name}>\n${inside.join('')}${margin}</${name}>\n`
  }
  if (isList(value)) {
    throw new Refusal(`${placeOf(place)} is a list in a list, which elements cannot show`, 'use format: json')
  }
  return `${margin}<${name}>${escaped(place, textOf(value), /[&<>\r]/g)}</${name}>\n`
}

function elements(name: string, value: Plain, place: string, margin: string): string {
  if (!isList(value)) return element(name, value, place, margin)
  return value.map((item, i) => element(name, item, `${place}[${i}]`, margin)).join('')
}

const NAME = /^(?!xml)[A-Za-z_][A-Za-z0-9_.-]*$/i

function propertiesOf(map: PlainMap): string {
  const entries = [...flattened(map)].map(([key, text]) => {
    if (/[\u{10000}-\u{10ffff}]/u.test(key + text)) {
      throw new Refusal(
        `${placeOf(key)} has a character beyond U+FFFF, which Java cannot load from XML`,
        'use format: properties, which Java loads with any character',
      )
    }
    return `<entry key="${escaped(key, key, /[&<>"\t\n\r]/g)}">${escaped(key, text, /[&<>\r]/g)}</entry>\n`
  })
  const doctype = '<!DOCTYPE properties SYSTEM "http://java.sun.com/dtd/properties.dtd">\n'
  return `${doctype}<properties>\n${entries.join('')}</properties>\n`
}

/** A text as it may stand in an element or an attribute. */
function escaped(key: string, text: string, special: RegExp): string {
  if (UNFIT.test(text)) {
    throw new Refusal(`${placeOf(key)} has a control character or a byte in it, which XML cannot hold`, ELSEWHERE)
  }
  return text.replaceAll(special, character => `&#${character.charCodeAt(0)};`)
}

/** All but the characters of XML 1.0. */
// eslint-disable-next-line no-control-regex
const UNFIT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/u
