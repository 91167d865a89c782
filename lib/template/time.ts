/** A time in UTC, in milliseconds since 1970, in a layout of Go's package `time`: the layout shows how Monday, January 2nd, 15:04:05 of
 *  2006 is to be written. */
export function formatTime(time: number, layout: string): string {
  const date = new Date(time)
  return layout.replaceAll(ELEMENT, element => formatElement(date, element))
}

/** In Go's order, which decides where several could begin: `002` is no `0`, `2006` no `2`, `_2006` a dash and a year. */
const ELEMENT = new RegExp(
  [
    'January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST',
    '0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm',
    '-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07',
    '[.,](?:0+|9+)(?![0-9])',
  ].join('|'),
  'g',
)

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

function formatElement(date: Date, element: string): string {
  const plain = PLAIN[element]
  if (plain !== undefined) return plain(date)
  if (element.startsWith('Z')) return 'Z'
  if (element.startsWith('-')) return element.replaceAll('7', '0').replace('-', '+')
  return fraction(date, element)
}

/** `.000` keeps its zeros, `.999` drops those at the end. */
function fraction(date: Date, element: string): string {
  const digits = element.length - 1
  const exact = padded(date.getUTCMilliseconds(), 3).padEnd(digits, '0').slice(0, digits)
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
  MST: () => 'UTC',
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0')
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

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - start) / DAY_MS) + 1
}
