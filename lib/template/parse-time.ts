import { DAYS, ELEMENT, MONTHS, UTC, type Moment, type Zone } from './time.ts'

/** How a text is shown in an error. */
type Quoted = (text: string) => string

/** The time that a text in a layout of Go's package `time` means; where it names no zone, in UTC. Throws an Error with Go's words. */
export function parseTime(layout: string, text: string, quoted: Quoted): Moment {
  const found = new Found()
  let rest = text
  const wrong = (part: string, at: string) =>
    new Error(`parsing time ${quoted(text)} as ${quoted(layout)}: cannot parse ${quoted(at)} as ${quoted(part)}`)
  const read = (prefix: string, element: string, after: string) => {
    const afterPrefix = withoutPrefix(rest, prefix)
    if (typeof afterPrefix !== 'string') throw wrong(prefix, afterPrefix.rest)
    const next = element === '' ? afterPrefix : found.read(element, afterPrefix, after)
    if (next === undefined) throw wrong(element, afterPrefix)
    if (found.outOfRange !== undefined) {
      throw new Error(`parsing time ${quoted(text)}: ${found.outOfRange} out of range`)
    }
    rest = next
  }
  let at = 0
  for (const { 0: element, index } of layout.matchAll(ELEMENT)) {
    const prefix = layout.slice(at, index)
    at = index + element.length
    read(prefix, element, layout.slice(at))
  }
  read(layout.slice(at), '', '')
  if (rest !== '') throw new Error(`parsing time ${quoted(text)}: extra text: ${quoted(rest)}`)
  const problem = found.settle()
  if (problem !== undefined) throw new Error(`parsing time ${quoted(text)}: ${problem}`)
  return found.moment()
}

/** Without what stands in the layout itself; any number of blanks is like any other. */
function withoutPrefix(text: string, prefix: string): string | { readonly rest: string } {
  let rest = text
  for (const [part] of prefix.matchAll(/ +|[^ ]/gu)) {
    if (part.startsWith(' ')) {
      if (rest !== '' && !rest.startsWith(' ')) return { rest }
      rest = rest.replace(/^ +/, '')
    } else if (rest.startsWith(part)) rest = rest.slice(part.length)
    else return { rest }
  }
  return rest
}

/** What the parts of a text have said so far. */
class Found {
  year = 0
  month: number | undefined
  day: number | undefined
  yearDay: number | undefined
  hour = 0
  minute = 0
  second = 0
  nanos = 0
  half: 'am' | 'pm' | undefined
  zone: Zone | undefined
  offset: number | undefined
  zoneName = ''
  /** What was read, and cannot be. */
  outOfRange: string | undefined

  /** Reads an element; gives what is left, or undefined where the text does not begin with one. */
  read(element: string, text: string, after: string): string | undefined {
    if (/^[-Z]/.test(element)) return this.#readOffset(element, text)
    if (/^[.,]/.test(element)) return this.#readFraction(element, text)
    switch (element) {
      case '06':
        return take(text, /^[0-9]{2}/, digits => (this.year = Number(digits) + (Number(digits) >= 69 ? 1900 : 2000)))
      case '2006':
        return take(text, /^[0-9]{4}/, digits => (this.year = Number(digits)))
      case 'January':
        return takeName(text, MONTHS, i => (this.month = i + 1))
      case 'Jan':
        return takeName(text, MONTHS.map(short), i => (this.month = i + 1))
      case 'Monday':
        return takeName(text, DAYS, () => {})
      case 'Mon':
        return takeName(text, DAYS.map(short), () => {})
      case 'PM':
        return take(text, /^[AP]M/, half => (this.half = half === 'AM' ? 'am' : 'pm'))
      case 'pm':
        return take(text, /^[ap]m/, half => (this.half = half === 'am' ? 'am' : 'pm'))
      case 'MST':
        return this.#readZone(text)
      case '__2':
      case '002':
        return this.#readYearDay(element, text)
      case '5':
      case '05':
        return this.#readSecond(element, text, after)
      default:
        return this.#readNumber(element, text)
    }
  }

  #readYearDay(element: string, text: string): string | undefined {
    const isPadded = element === '002'
    const start = isPadded ? text : text.replace(/^ {0,2}/, '')
    return take(start, isPadded ? /^[0-9]{3}/ : /^[0-9]{1,3}/, digits => (this.yearDay = Number(digits)))
  }

  #readSecond(element: string, text: string, after: string): string | undefined {
    const rest = take(text, element === '05' ? TWO_DIGITS : ONE_OR_TWO_DIGITS, digits => (this.second = Number(digits)))
    this.#check('second', this.second < 60)
    const [next] = after.matchAll(ELEMENT)
    // A fraction may follow though the layout has none.
    const isInLayout = next !== undefined && /^[.,]/.test(next[0])
    return rest === undefined || isInLayout ? rest : this.#readFraction('.9', rest)
  }

  #readNumber(element: string, text: string): string | undefined {
    const start = element === '_2' ? text.replace(/^ /, '') : text
    return take(start, element.startsWith('0') ? TWO_DIGITS : ONE_OR_TWO_DIGITS, digits => {
      const value = Number(digits)
      switch (element) {
        case '1':
        case '01':
          this.month = value
          return this.#check('month', value >= 1 && value <= 12)
        case '15':
          this.hour = value
          return this.#check('hour', value < 24)
        case '3':
        case '03':
          this.hour = value
          return this.#check('hour', value <= 12)
        case '4':
        case '04':
          this.minute = value
          return this.#check('minute', value < 60)
        default:
          // Whether the month has it is known in the end.
          this.day = value
          return undefined
      }
    })
  }

  #readFraction(element: string, text: string): string | undefined {
    const isExact = element.charAt(1) === '0'
    const pattern = isExact ? new RegExp(`^[.,][0-9]{${element.length - 1}}`) : /^(?:[.,][0-9]+)?/
    return take(text, pattern, digits => (this.nanos = Number(digits.slice(1, 10).padEnd(9, '0'))))
  }

  #readOffset(element: string, text: string): string | undefined {
    if (element.startsWith('Z') && text.startsWith('Z')) {
      this.zone = UTC
      return text.slice(1)
    }
    const count = element.replaceAll(/[^0-9]/g, '').length / 2
    const numbers = Array.from({ length: count }, () => '([0-9]{2})').join(element.includes(':') ? ':' : '')
    const match = new RegExp(`^([-+])${numbers}`).exec(text)
    if (match === null) return undefined
    const [whole, sign, ...parts] = match
    const [hours = 0, minutes = 0, seconds = 0] = parts.map(Number)
    // Some people write 24 hours, or 60 minutes.
    this.#check('time zone offset hour', hours <= 24)
    this.#check('time zone offset minute', minutes <= 60)
    this.#check('time zone offset second', seconds <= 60)
    this.offset = ((hours * 60 + minutes) * 60 + seconds) * (sign === '-' ? -1 : 1)
    return text.slice(whole.length)
  }

  #readZone(text: string): string | undefined {
    if (text.startsWith('UTC')) {
      this.zone = UTC
      return text.slice(3)
    }
    const [name] = ZONE_NAME.exec(text) ?? []
    if (name === undefined) return undefined
    this.zoneName = name
    return text.slice(name.length)
  }

  #check(what: string, isInRange: boolean): undefined {
    if (!isInRange) this.outOfRange = what
  }

  /** Makes month and day what they must be; gives what is wrong with them. */
  settle(): string | undefined {
    if (this.half === 'pm' && this.hour < 12) this.hour += 12
    else if (this.half === 'am' && this.hour === 12) this.hour = 0
    if (this.yearDay !== undefined) {
      const date = new Date(millisecondsAt(this.year, 0, this.yearDay))
      if (this.yearDay < 1 || date.getUTCFullYear() !== this.year) return 'day-of-year out of range'
      const [month, day] = [date.getUTCMonth() + 1, date.getUTCDate()]
      if ((this.month ?? month) !== month) return 'day-of-year does not match month'
      if ((this.day ?? day) !== day) return 'day-of-year does not match day'
      this.month = month
      this.day = day
    }
    const { year, month = 1, day = 1 } = this
    return day < 1 || day > new Date(millisecondsAt(year, month, 0)).getUTCDate() ? 'day out of range' : undefined
  }

  moment(): Moment {
    const { year, month = 1, day = 1, hour, minute, second, nanos, zone, offset, zoneName } = this
    const seconds = millisecondsAt(year, month - 1, day) / 1000 + (hour * 60 + minute) * 60 + second
    const at = (offsetSeconds: number) => BigInt(seconds - offsetSeconds) * 1_000_000_000n + BigInt(nanos)
    if (zone !== undefined) return { nanos: at(0), zone }
    if (offset !== undefined) {
      const isUtc = offset === 0 && (zoneName === '' || zoneName === 'UTC')
      return { nanos: at(offset), zone: isUtc ? UTC : { name: zoneName, offset } }
    }
    if (zoneName === '') return { nanos: at(0), zone: UTC }
    // Of a zone that is only named, Go knows the offset when it is called so.
    const named = Number(/^GMT([-+][0-9]+)$/.exec(zoneName)?.[1] ?? 0) * 3600
    return { nanos: at(0), zone: { name: zoneName, offset: named } }
  }
}

/** Three letters, or four or five that end in T, and a few exceptions. */
const ZONE_NAME =
  /^(?:ChST|MeST|GMT(?:[-+](?:[01]?[0-9]|2[0-3])(?![0-9]))?|[-+](?:[01]?[0-9]|2[0-3])(?![0-9])|(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z]))/

const TWO_DIGITS = /^[0-9]{2}/
const ONE_OR_TWO_DIGITS = /^[0-9]{1,2}/

/** Takes what the pattern matches off the start. */
function take(text: string, pattern: RegExp, use: (taken: string) => void): string | undefined {
  const [taken] = pattern.exec(text) ?? []
  if (taken === undefined) return undefined
  use(taken)
  return text.slice(taken.length)
}

function takeName(text: string, names: readonly string[], use: (index: number) => void): string | undefined {
  const index = names.findIndex(name => text.slice(0, name.length).toLowerCase() === name.toLowerCase())
  if (index < 0) return undefined
  use(index)
  return text.slice((names[index] as string).length)
}

function short(name: string): string {
  return name.slice(0, 3)
}

function millisecondsAt(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day)
}
