import { toBytes } from '../base/text.ts'
import { isPrint, validRune } from './quote.ts'

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
}

/** For HTML, in text and attributes. */
export function escapeHtml(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\0"'&<>]/g, character => HTML[character] as string)
}

const JAVASCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** For a string of JavaScript. */
export function escapeJavaScript(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\\'"<>&=\u0000-\u001f]|[^\u0000-\u007f]/gu, character => {
    const rune = validRune(character.codePointAt(0) as number)
    // Go decodes a byte that is no text as U+FFFD, finds that printable, and writes the byte.
    if (rune >= 0x80 && isPrint(rune)) return character
    return JAVASCRIPT[character] ?? `\\u${rune.toString(16).toUpperCase().padStart(4, '0')}`
  })
}

/** For a value in the query of a URL: a blank becomes `+`. */
export function escapeQuery(text: string): string {
  if (/^[A-Za-z0-9\-_.~]*$/.test(text)) return text
  let out = ''
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte)
    if (byte < 0x80 && /[A-Za-z0-9\-_.~]/.test(character)) out += character
    else out += character === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
