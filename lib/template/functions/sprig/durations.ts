/** Go's durations: nanoseconds in an int64. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const NANOS_MAX = 2n ** 63n - 1n

/** `-1h30m0.5s` in nanoseconds. Throws an Error with Go's words. */
export function parseDuration(text: string, quoted: (text: string) => string): bigint {
  const invalid = () => new Error(`time: invalid duration ${quoted(text)}`)
  let rest = text.replace(/^[-+]/, '')
  const isNegative = text.startsWith('-')
  if (rest === '0') return 0n
  if (rest === '' || text.length > TEXT_MAX) throw invalid()
  let total = 0n
  while (rest !== '') {
    const [whole, digits = '', fraction = '', name = ''] = /^([0-9]*)(?:\.([0-9]*))?([^.0-9]*)/.exec(rest) ?? ['']
    if (digits + fraction === '') throw invalid()
    if (name === '') throw new Error(`time: missing unit in duration ${quoted(text)}`)
    const unit = UNITS[name]
    if (unit === undefined) throw new Error(`time: unknown unit ${quoted(name)} in duration ${quoted(text)}`)
    total += BigInt(digits) * unit + partOf(fraction, unit)
    if (total > NANOS_MAX + (isNegative ? 1n : 0n)) throw invalid()
    rest = rest.slice(whole.length)
  }
  return isNegative ? -total : total
}

const TEXT_MAX = 1_000

/** As Go computes it: in floating point, whatever does not fit cut off. */
function partOf(fraction: string, unit: bigint): bigint {
  const digits = fraction.slice(0, FRACTION_DIGITS_MAX)
  return digits === '' ? 0n : BigInt(Math.trunc(Number(digits) * (Number(unit) / 10 ** digits.length)))
}

const FRACTION_DIGITS_MAX = 18

/** `1h30m0.5s`; less than a second in smaller units. */
export function formatDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatDuration(-nanos)}`
  if (nanos === 0n) return '0s'
  for (const name of ['ns', 'µs', 'ms']) {
    const unit = UNITS[name] as bigint
    if (nanos < unit * 1_000n) return `${withFraction(nanos, unit)}${name}`
  }
  const minutes = nanos / (UNITS['m'] as bigint)
  const seconds = `${withFraction(nanos % (UNITS['m'] as bigint), UNITS['s'] as bigint)}s`
  if (minutes === 0n) return seconds
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function withFraction(nanos: bigint, unit: bigint): string {
  const digits = String(unit).length - 1
  const fraction = String(nanos % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '')
  return unit === 1n || fraction === '' ? String(nanos / unit) : `${nanos / unit}.${fraction}`
}

/** The largest unit alone: `3d`, `2mo`. What is exactly one of a unit is told in the next. */
export function roundDuration(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos
  for (const [name, unit] of ROUND_UNITS) if (size > unit) return `${size / unit}${name}`
  return '0s'
}

const DAY = 24n * (UNITS['h'] as bigint)

const ROUND_UNITS: readonly (readonly [string, bigint])[] = [
  ['y', 365n * DAY],
  ['mo', 30n * DAY],
  ['d', DAY],
  ['h', UNITS['h'] as bigint],
  ['m', UNITS['m'] as bigint],
  ['s', UNITS['s'] as bigint],
]

/** Cut to what a duration can hold, as Go's differences of times are. */
export function clamped(nanos: bigint): bigint {
  return nanos > NANOS_MAX ? NANOS_MAX : nanos < -NANOS_MAX - 1n ? -NANOS_MAX - 1n : nanos
}
