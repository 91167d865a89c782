import { flattened } from './flatten.ts'
import { mapFor, type Plain } from './plain.ts'
import { checkText } from './refusal.ts'

/** A map as java.util.Properties loads it, in whichever encoding: all that is not printable ASCII is escaped. Maps and lists in it
 *  get keys such as `db.hosts[0]`. */
export function encodeProperties(value: Plain): string {
  const flat = flattened(mapFor('properties', value))
  return [...flat]
    .map(([key, text]) => {
      checkText(key, key, 'a properties file')
      checkText(key, text, 'a properties file')
      return `${escaped(key, /[ :=#!\\]/g)}=${escaped(text, /^ |\\/g)}\n`
    })
    .join('')
}

function escaped(text: string, special: RegExp): string {
  return text.replaceAll(special, String.raw`\$&`).replaceAll(/[^ -~]/g, unit => SHORT[unit] ?? unicode(unit))
}

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r' }

function unicode(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}
