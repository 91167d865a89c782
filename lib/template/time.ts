/** A time, and the zone that it is told in. */
export interface Moment {
  /** Nanoseconds since 1970 in UTC. */
  readonly nanos: bigint
  readonly zone: Zone
}

export interface Zone {
  /** `CET` say; empty for one that is known by its offset only. */
  readonly name: string
  /** Seconds east of UTC. */
  readonly offset: number
}

export const UTC: Zone = { name: 'UTC', offset: 0 }

const NANOS_PER_MS = 1_000_000n
const NANOS_PER_SECOND = 1_000_000_000n

/** A time of a clock, in milliseconds since 1970, in UTC. */
export function momentAt(timeMs: number): Moment {
  return { nanos: BigInt(Math.floor(timeMs)) * NANOS_PER_MS, zone: UTC }
}

/** Seconds since 1970. */
export function secondsOf({ nanos }: Moment): bigint {
  return (nanos - fractionOf(nanos)) / NANOS_PER_SECOND
}

/** A time in a layout of Go's package `time`: the layout shows how Monday, January 2nd, 15:04:05 of 2006 is to be written. */
export function formatTime(moment: Moment, layout: string): string {
  const date = clockOf(moment)
  return layout.replaceAll(ELEMENT, element => formatElement(moment, date, element))
}

/** What a clock in its zone shows, as if it were UTC. */
export function clockOf({ nanos, zone }: Moment): Date {
  return new Date(Number((nanos - fractionOf(nanos)) / NANOS_PER_MS) + zone.offset * 1000)
}

/** The nanoseconds of its second. */
export function fractionOf(nanos: bigint): bigint {
  return ((nanos % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND
}

/** What means something in a layout, in Go's order, which decides where several could begin: `002` is no `0`, `2006` no `2`,
 *  `_2006` a dash and a year. */
export const ELEMENT: RegExp = new RegExp(
  [
    'January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST',
    '0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm',
    '-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07',
    '[.,](?:0+|9+)(?![0-9])',
  ].join('|'),
  'g',
)

export const MONTHS: readonly string[] =
  'January February March April May June July August September October November December'.split(' ')
export const DAYS: readonly string[] = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

function formatElement({ nanos, zone }: Moment, date: Date, element: string): string {
  const plain = PLAIN[element]
  if (plain !== undefined) return plain(date)
  if (element === 'MST') return zone.name === '' ? offsetText(zone.offset, '-0700') : zone.name
  if (element.startsWith('Z') && zone.offset === 0) return 'Z'
  if (/^[-Z]/.test(element)) return offsetText(zone.offset, element)
  return fraction(fractionOf(nanos), element)
}

function offsetText(offset: number, element: string): string {
  const size = Math.abs(offset)
  const parts = [size / 3600, (size / 60) % 60, size % 60].map(part => padded(Math.floor(part), 2))
  const separator = element.includes(':') ? ':' : ''
  const count = element.replaceAll(/[^0-9]/g, '').length / 2
  return (offset < 0 ? '-' : '+') + parts.slice(0, count).join(separator)
}

/** `.000` keeps its zeros, `.999` drops those at the end. */
function fraction(nanos: bigint, element: string): string {
  const digits = element.length - 1
  const exact = String(nanos).padStart(9, '0').padEnd(digits, '0').slice(0, digits)
  if (element.endsWith('0')) return element.charAt(0) + exact
  const short = exact.replace(/0+$/, '')
  return short === '' ? '' : element.charAt(0) + short
}

const PLAIN: Readonly<Record<string, (date: Date) => string>> = {
  January: date => monthOf(date),
  Jan: date => monthOf(date).slice(0, 3),
  '1': date => String(date.getUTCMonth() + 1),
  '01': date => padded(date.getUTCMonth() + 1, 2),
  Monday: date => dayOf(date),
  Mon: date => dayOf(date).slice(0, 3),
  '2': date => String(date.getUTCDate()),
  _2: date => String(date.getUTCDate()).padStart(2, ' '),
  '02': date => padded(date.getUTCDate(), 2),
  __2: date => String(dayOfYear(date)).padStart(3, ' '),
  '002': date => padded(dayOfYear(date), 3),
  '15': date => padded(date.getUTCHours(), 2),
  '3': date => String(hour12(date)),
  '03': date => padded(hour12(date), 2),
  '4': date => String(date.getUTCMinutes()),
  '04': date => padded(date.getUTCMinutes(), 2),
  '5': date => String(date.getUTCSeconds()),
  '05': date => padded(date.getUTCSeconds(), 2),
  '2006': date => padded(date.getUTCFullYear(), 4),
  '06': date => padded(date.getUTCFullYear() % 100, 2),
  PM: date => (date.getUTCHours() >= 12 ? 'PM' : 'AM'),
  pm: date => (date.getUTCHours() >= 12 ? 'pm' : 'am'),
}

function padded(value: number, width: number): string {
  return value < 0 ? `-${padded(-value, width)}` : String(value).padStart(width, '0')
}

function monthOf(date: Date): string {
  return MONTHS[date.getUTCMonth()] as string
}

function dayOf(date: Date): string {
  return DAYS[date.getUTCDay()] as string
}

function hour12(date: Date): number {
  return date.getUTCHours() % 12 || 12
}

const DAY_MS = 86_400_000

/** From 1. */
export function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - startOf(date.getUTCFullYear())) / DAY_MS) + 1
}

/** The first millisecond of a year; `Date.UTC` takes small years for others. */
function startOf(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1)
}
