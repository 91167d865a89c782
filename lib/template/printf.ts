import { int, Uint } from '../base/value.ts'
import type { Operand } from './operand.ts'
import { typeName } from './operand.ts'
import { joined } from './print.ts'
import { newFlags, Printer, type Flags } from './printer.ts'

/** Go's limit for a width and a precision. */
const NUMBER_MAX = 1_000_000

/** Go's `fmt.Sprintf`. What does not fit is said in the text, as in Go: `%!d(string=hi)`, `%!d(MISSING)`, `%!(EXTRA int=1)`. */
export function printf(format: string, args: readonly Operand[]): string {
  return joined(new Formatter(format, args).run())
}

class Formatter {
  readonly #format: string
  readonly #args: readonly Operand[]
  readonly #printer = new Printer()
  /** Where the format is read, and which argument is next. */
  #at = 0
  #next = 0
  /** Whether an index like `[3]` was just read; whether any was; whether those of this verb were good. */
  #isAfterIndex = false
  #isReordered = false
  #isIndexGood = true

  constructor(format: string, args: readonly Operand[]) {
    this.#format = format
    this.#args = args
  }

  run(): string {
    const format = this.#format
    while (this.#at < format.length) {
      const percent = format.indexOf('%', this.#at)
      if (percent < 0) {
        this.#printer.write(format.slice(this.#at))
        break
      }
      this.#printer.write(format.slice(this.#at, percent))
      this.#at = percent + 1
      this.#directive()
    }
    if (!this.#isReordered && this.#next < this.#args.length) this.#extra()
    return this.#printer.text
  }

  /** Reads what follows a percent sign, and prints its argument. */
  #directive(): void {
    const flags = this.#readFlags()
    this.#printer.flags = flags
    this.#isIndexGood = true
    this.#isAfterIndex = false
    this.#readIndex()
    this.#readWidth(flags)
    this.#readPrecision(flags)
    if (!this.#isAfterIndex) this.#readIndex()
    if (this.#at >= this.#format.length) {
      this.#printer.write('%!(NOVERB)')
      return
    }
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) as number)
    this.#at += verb.length
    this.#verb(verb.toWellFormed(), flags)
  }

  #verb(verb: string, flags: Flags): void {
    if (verb === '%') this.#printer.write('%')
    else if (!this.#isIndexGood) this.#printer.write(`%!${verb}(BADINDEX)`)
    else if (this.#next >= this.#args.length) this.#printer.write(`%!${verb}(MISSING)`)
    else {
      if (verb === 'v' || verb === 'w') {
        // With these, the two flags mean something else, for the whole of the value.
        Object.assign(flags, { sharpV: flags.sharp, sharp: false, plusV: flags.plus, plus: false })
      }
      this.#printer.print(this.#args[this.#next], verb)
      this.#next++
    }
  }

  #readFlags(): Flags {
    const flags = newFlags()
    for (; ; this.#at++) {
      switch (this.#format.charAt(this.#at)) {
        case '#':
          flags.sharp = true
          break
        case '0':
          flags.zero = true
          break
        case '+':
          flags.plus = true
          break
        case '-':
          flags.minus = true
          break
        case ' ':
          flags.space = true
          break
        default:
          return flags
      }
    }
  }

  #readWidth(flags: Flags): void {
    if (this.#accept('*')) {
      flags.width = this.#integerArgument()
      if (flags.width === undefined) this.#printer.write('%!(BADWIDTH)')
      else if (flags.width < 0) {
        flags.width = -flags.width
        flags.minus = true
        flags.zero = false
      }
      this.#isAfterIndex = false
      return
    }
    flags.width = this.#readNumber()
    if (this.#isAfterIndex && flags.width !== undefined) this.#isIndexGood = false
  }

  #readPrecision(flags: Flags): void {
    // A point at the very end is no precision: it is the verb.
    if (this.#at + 1 >= this.#format.length || !this.#accept('.')) return
    if (this.#isAfterIndex) this.#isIndexGood = false
    this.#readIndex()
    if (this.#accept('*')) {
      const precision = this.#integerArgument()
      flags.precision = precision !== undefined && precision >= 0 ? precision : undefined
      if (flags.precision === undefined) this.#printer.write('%!(BADPREC)')
      this.#isAfterIndex = false
      return
    }
    flags.precision = this.#readNumber() ?? 0
  }

  /** Reads an index of an argument, `[n]`, if there is one. */
  #readIndex(): void {
    this.#isAfterIndex = false
    if (this.#format.charAt(this.#at) !== '[') return
    this.#isReordered = true
    const end = this.#format.indexOf(']', this.#at)
    if (end < 0) {
      this.#isIndexGood = false
      this.#at++
      return
    }
    const text = this.#format.slice(this.#at + 1, end)
    this.#at = end + 1
    const index = /^[0-9]+$/.test(text) ? Number(text) - 1 : undefined
    const isNumber = index !== undefined && index < NUMBER_MAX * 10
    if (isNumber && index >= 0 && index < this.#args.length) {
      this.#next = index
      this.#isAfterIndex = true
      return
    }
    this.#isIndexGood = false
    this.#isAfterIndex = isNumber
  }

  /** Reads digits; undefined when there are none. One that is too large swallows the rest of the format. */
  #readNumber(): number | undefined {
    const digits = /^[0-9]*/.exec(this.#format.slice(this.#at, this.#at + 20))?.[0] ?? ''
    let value = 0
    for (const digit of digits) {
      if (value > NUMBER_MAX) {
        this.#at = this.#format.length
        return undefined
      }
      value = value * 10 + Number(digit)
    }
    this.#at += digits.length
    return digits === '' ? undefined : value
  }

  #integerArgument(): number | undefined {
    if (this.#next >= this.#args.length) return undefined
    const arg = this.#args[this.#next++]
    const value = arg instanceof Uint ? int(arg.value) : arg
    return typeof value === 'number' && Math.abs(value) <= NUMBER_MAX ? value : undefined
  }

  #accept(character: string): boolean {
    if (this.#format.charAt(this.#at) !== character) return false
    this.#at++
    return true
  }

  #extra(): void {
    this.#printer.flags = newFlags()
    this.#printer.write('%!(EXTRA ')
    for (const [i, arg] of this.#args.slice(this.#next).entries()) {
      if (i > 0) this.#printer.write(', ')
      if (arg === null || arg === undefined) {
        this.#printer.write('<nil>')
        continue
      }
      this.#printer.write(`${typeName(arg)}=`)
      this.#printer.print(arg, 'v')
    }
    this.#printer.write(')')
  }
}
