import { toBytes } from '../base/text.ts'
import { Float, Struct, Uint, type Value } from '../base/value.ts'
import { Complex } from './complex.ts'
import { checkExtent } from './extent.ts'
import { formatFloat, type FloatVerb } from './float.ts'
import { Instance } from './instance.ts'
import { isList, isMap, sortedKeys, typeName, type Operand } from './operand.ts'
import { canBackquote, isPrint, quote, quoteRune, quoteToAscii, validRune } from './quote.ts'

/** How a directive of a format wants its argument. */
export interface Flags {
  width: number | undefined
  precision: number | undefined
  minus: boolean
  plus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  /** `%+v` and `%#v`: fields with their names, and Go's syntax. */
  plusV: boolean
  sharpV: boolean
}

export function newFlags(): Flags {
  return {
    width: undefined,
    precision: undefined,
    minus: false,
    plus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
  }
}

/** The verbs for which Go asks a value how it prints. */
const PRINTED = 'vsxXq'

/** An operand that formats itself, Go's `fmt.Formatter`. */
export abstract class Formatter extends Struct {
  /** Writes itself to the printer, which has the flags of the directive. */
  abstract format(printer: Printer, verb: string): void
}

/** Prints operands by verbs, as Go's fmt does. */
export class Printer {
  flags: Flags = newFlags()
  text = ''

  write(text: string): void {
    this.text += text
  }

  print(operand: Operand, verb: string): void {
    checkExtent(operand)
    if (operand === null || operand === undefined) {
      if (verb === 'T' || verb === 'v') this.#pad('<nil>')
      else this.#badVerb(operand, verb)
    } else if (verb === 'T') this.#pad(this.#truncated(typeName(operand)))
    else if (verb === 'p') this.#pointer(operand, verb)
    else if (operand instanceof Formatter) operand.format(this, verb)
    else if (verb === 'w') this.#badVerb(operand, verb)
    else this.#value(operand, verb)
  }

  #value(operand: Operand, verb: string): void {
    switch (typeof operand) {
      case 'string':
        return this.#string(operand, verb)
      case 'boolean':
        return verb === 't' || verb === 'v' ? this.#pad(String(operand)) : this.#badVerb(operand, verb)
      case 'number':
      case 'bigint':
        return this.#integer(operand, BigInt(operand), true, verb)
      case 'undefined':
      case 'symbol':
        return undefined
      default:
    }
    if (operand instanceof Uint) return this.#integer(operand, operand.value, false, verb)
    if (operand instanceof Float) return this.#float(operand, operand.value, verb)
    if (operand instanceof Complex) return this.#complex(operand, verb)
    if (operand instanceof Instance && operand.text !== undefined && !this.flags.sharpV && PRINTED.includes(verb)) {
      return this.#string(operand.text(), verb)
    }
    return this.#composite(operand, verb)
  }

  #composite(operand: Value, verb: string): void {
    const { sharpV, plusV } = this.flags
    const separator = sharpV ? ', ' : ' '
    if (isMap(operand)) {
      this.write(sharpV ? `${typeName(operand)}{` : 'map[')
      for (const [i, key] of sortedKeys(operand).entries()) {
        if (i > 0) this.write(separator)
        this.#element(key, verb)
        this.write(':')
        this.#element(operand.get(key) as Value, verb)
      }
      this.write(sharpV ? '}' : ']')
    } else if (operand instanceof Struct) {
      this.write(sharpV ? `${typeName(operand)}{` : '{')
      for (const [i, [name, value]] of [...operand.fields].entries()) {
        if (i > 0) this.write(separator)
        if (sharpV || plusV) this.write(`${name}:`)
        this.#element(value, verb)
      }
      this.write('}')
    } else if (isList(operand)) {
      this.write(sharpV ? `${typeName(operand)}{` : '[')
      for (const [i, item] of operand.entries()) {
        if (i > 0) this.write(separator)
        this.#element(item, verb)
      }
      this.write(sharpV ? '}' : ']')
    }
  }

  #element(value: Value, verb: string): void {
    if (value === null) this.write(this.flags.sharpV ? 'interface {}(nil)' : '<nil>')
    else if (verb === 'w') this.#badVerb(value, verb)
    else this.#value(value, verb)
  }

  #badVerb(operand: Operand, verb: string): void {
    if (operand === null || operand === undefined) {
      this.write(`%!${verb}(<nil>)`)
      return
    }
    this.write(`%!${verb}(${typeName(operand)}=`)
    this.#value(operand, 'v')
    this.write(')')
  }

  #pointer(operand: Operand, verb: string): void {
    // Only maps and lists have an address; ours is none, the same for all, so that an output does not change by itself.
    if (!isMap(operand) && !isList(operand)) return this.#badVerb(operand, verb)
    return this.#pad(this.flags.sharp ? 'c000000000' : '0xc000000000')
  }

  #string(text: string, verb: string): void {
    switch (verb) {
      case 'v':
        return this.flags.sharpV ? this.#quoted(text) : this.#pad(this.#truncated(text))
      case 's':
        return this.#pad(this.#truncated(text))
      case 'x':
        return this.#bytes(text, '0x', byte => byte.toString(16).padStart(2, '0'))
      case 'X':
        return this.#bytes(text, '0X', byte => byte.toString(16).toUpperCase().padStart(2, '0'))
      case 'q':
        return this.#quoted(text)
      default:
        return this.#badVerb(text, verb)
    }
  }

  #quoted(whole: string): void {
    const text = this.#truncated(whole)
    if (this.flags.sharp && canBackquote(text)) return this.#pad(`\`${text}\``)
    return this.#pad(this.flags.plus ? quoteToAscii(text) : quote(text))
  }

  #bytes(text: string, prefix: string, spell: (byte: number) => string): void {
    const { precision, space, sharp, width = 0, minus } = this.flags
    const spelled = [...toBytes(text).subarray(0, precision)].map(spell)
    const lead = sharp && spelled.length > 0 ? prefix : ''
    const hex = lead + spelled.join(space ? ` ${lead}` : '')
    const padding = this.#padding(width - hex.length)
    this.write(minus && hex !== '' ? hex + padding : padding + hex)
  }

  #integer(operand: Operand, value: bigint, isSigned: boolean, verb: string): void {
    switch (verb) {
      case 'v':
        if (!this.flags.sharpV || isSigned) return this.#digits(value, 10, verb)
        return this.#with({ sharp: true }, () => this.#digits(value, 16, verb))
      case 'd':
        return this.#digits(value, 10, verb)
      case 'b':
        return this.#digits(value, 2, verb)
      case 'o':
      case 'O':
        return this.#digits(value, 8, verb)
      case 'x':
      case 'X':
        return this.#digits(value, 16, verb)
      case 'c':
        return this.#pad(String.fromCodePoint(runeOf(value)))
      case 'q':
        return this.#pad(quoteRune(runeOf(value), this.flags.plus))
      case 'U':
        return this.#codePoint(BigInt.asUintN(64, value))
      default:
        return this.#badVerb(operand, verb)
    }
  }

  #digits(value: bigint, base: 2 | 8 | 10 | 16, verb: string): void {
    const { width = 0, precision, zero, minus, plus, space, sharp } = this.flags
    if (precision === 0 && value === 0n) return this.#with({ zero: false }, () => this.write(this.#padding(width)))
    const isNegative = value < 0n
    let least = precision ?? 0
    if (precision === undefined && zero && !minus) least = width - (isNegative || plus || space ? 1 : 0)
    let text = (isNegative ? -value : value).toString(base).padStart(least, '0')
    if (sharp && base === 2) text = `0b${text}`
    else if (sharp && base === 8 && !text.startsWith('0')) text = `0${text}`
    else if (sharp && base === 16) text = `0x${text}`
    if (verb === 'X') text = text.toUpperCase()
    if (verb === 'O') text = `0o${text}`
    const sign = isNegative ? '-' : plus ? '+' : space ? ' ' : ''
    this.#with({ zero: false }, () => this.#pad(sign + text))
  }

  #codePoint(value: bigint): void {
    const { precision = 0, sharp } = this.flags
    const code = value.toString(16).toUpperCase().padStart(Math.max(precision, 4), '0')
    const rune = Number(value)
    const character = sharp && value <= 0x10ffffn && isPrint(rune) ? ` '${String.fromCodePoint(rune)}'` : ''
    this.#with({ zero: false }, () => this.#pad(`U+${code}${character}`))
  }

  #float(operand: Operand, value: number, verb: string): void {
    switch (verb) {
      case 'v':
        return this.#floatDigits(value, 'g', -1)
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X':
        return this.#floatDigits(value, verb, -1)
      case 'f':
      case 'e':
      case 'E':
        return this.#floatDigits(value, verb, 6)
      case 'F':
        return this.#floatDigits(value, 'f', 6)
      default:
        return this.#badVerb(operand, verb)
    }
  }

  #floatDigits(value: number, verb: FloatVerb, usual: number): void {
    const { width = 0, plus, space, zero, minus, sharp } = this.flags
    const precision = this.flags.precision ?? usual
    const text = formatFloat(value, verb, precision)
    const isNegative = text.startsWith('-')
    const digits = text.replace(/^[+-]/, '')
    const sign = isNegative ? '-' : plus ? '+' : space ? ' ' : ''
    if (!Number.isFinite(value)) {
      // An infinity keeps its sign where a number would drop it, and nothing is padded with zeros.
      const shown = sign === '' && !Number.isNaN(value) ? '+' : sign
      this.#with({ zero: false }, () => this.#pad(shown + digits))
      return
    }
    const shown = sharp && verb !== 'b' ? withPoint(digits, verb, precision) : digits
    if (sign !== '' && zero && !minus && width > shown.length + 1) {
      this.write(sign + this.#padding(width - shown.length - 1) + shown)
    } else this.#pad(sign + shown)
  }

  #complex(operand: Complex, verb: string): void {
    if (!'vbgGxXfFeE'.includes(verb)) return this.#badVerb(operand, verb)
    this.write('(')
    this.#float(operand, operand.real, verb)
    this.#with({ plus: true }, () => this.#float(operand, operand.imaginary, verb))
    return this.write('i)')
  }

  #truncated(text: string): string {
    const { precision } = this.flags
    if (precision === undefined || text.length <= precision) return text
    let end = 0
    for (let count = 0; count < precision && end < text.length; count++) {
      end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1
    }
    return text.slice(0, end)
  }

  #pad(text: string): void {
    const { width = 0, minus } = this.flags
    const padding = width > 0 ? this.#padding(width - characterCount(text, width)) : ''
    this.write(minus ? text + padding : padding + text)
  }

  #padding(count: number): string {
    return count > 0 ? (this.flags.zero && !this.flags.minus ? '0' : ' ').repeat(count) : ''
  }

  /** Prints with some flags changed. */
  #with(changes: Partial<Flags>, print: () => void): void {
    const before = this.flags
    this.flags = { ...before, ...changes }
    print()
    this.flags = before
  }
}

function runeOf(value: bigint): number {
  return value > 0x10ffffn || value < 0n ? 0xfffd : validRune(Number(value))
}

/** How many characters a text has; not counted where it surely has `enough`. */
function characterCount(text: string, enough: number): number {
  if (text.length >= 2 * enough) return enough
  let count = 0
  for (let i = 0; i < text.length; i++, count++) if ((text.codePointAt(i) as number) > 0xffff) i++
  return count
}

/** With the sharp flag, a float has a point always, and `%g` keeps its zeros. */
function withPoint(digits: string, verb: FloatVerb, precision: number): string {
  const end = digits.search(verb === 'x' || verb === 'X' ? /[pP]/ : /[eE]/)
  const mantissa = end < 0 ? digits : digits.slice(0, end)
  const tail = end < 0 ? '' : digits.slice(end)
  let missing = 0
  if (verb === 'g' || verb === 'G' || verb === 'x') {
    missing = precision === -1 ? 6 : precision
    // Of a hexadecimal number, Go counts the x and what follows it.
    const significant = mantissa.replace('.', '').replace(/^0*/, '')
    missing -= significant.length
  }
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`
  if (mantissa === '0') missing--
  return pointed + '0'.repeat(Math.max(missing, 0)) + tail
}
