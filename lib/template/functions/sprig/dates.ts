import { int, type Value } from '../../../base/value.ts'
import type { Executing, TemplateFunction } from '../../function.ts'
import { Instance, type Method } from '../../instance.ts'
import { parseTime } from '../../parse-time.ts'
import { quoteBytes } from '../../quote.ts'
import {
  clockOf,
  dayOfYear,
  DAYS,
  formatTime,
  fractionOf,
  momentAt,
  MONTHS,
  secondsOf,
  UTC,
  type Moment,
} from '../../time.ts'
import type { Time } from '../time.ts'
import { alsoAs, define } from './define.ts'
import { clamped, formatDuration, parseDuration, roundDuration } from './durations.ts'

const TIME_TYPE = 'time.Time'

const NANOS_PER_SECOND = 1_000_000_000n

/** The functions on times and durations. Where nothing says another zone, times are in UTC. */
export const dateFunctions: readonly TemplateFunction<Time>[] = [
  define('toDate LAYOUT TEXT', ['string', 'string'], (layout, text): Value => {
    try {
      return new TimeInstance(parseTime(layout, text, String))
    } catch {
      return new TimeInstance(ZERO)
    }
  }),
  define('mustToDate LAYOUT TEXT', ['string', 'string'], (layout, text, execution) => {
    return new TimeInstance(parseTime(layout, text, quotedBy(execution)))
  }),
  ...alsoAs(
    define('mustDateModify DURATION TIME', ['string', `struct ${TIME_TYPE}`], (text, time, execution) => {
      const { nanos, zone } = momentOf(time)
      return new TimeInstance({ nanos: nanos + parseDuration(text, quotedBy(execution)), zone })
    }),
    'must_date_modify',
  ),
  define('unixEpoch TIME', [`struct ${TIME_TYPE}`], time => String(secondsOf(momentOf(time)))),
  define('duration SECONDS', ['any'], seconds =>
    formatDuration(BigInt.asIntN(64, secondsIn(seconds) * NANOS_PER_SECOND)),
  ),
  {
    name: 'durationRound',
    signature: 'durationRound DURATION|TIME',
    parameters: ['any'],
    call: ({ now }, [value = null]) => roundDuration(durationOf(value, now)),
  },
  {
    // It changes as time passes; but a template is executed again only when an answer that it got has changed.
    name: 'ago',
    signature: 'ago TIME',
    parameters: ['any'],
    call: (context, [value = null]) => formatDuration(clamped(rounded(since(value, () => context.now())))),
  },
]

/** How Go's package `time` quotes what it could not read. */
function quotedBy(execution: Executing): (part: string) => string {
  return part => (execution.showsValues ? quoteBytes(part) : execution.quoted(part, 'q'))
}

/** Go's zero of times: the first moment of the year 1. */
const ZERO: Moment = { nanos: -62_135_596_800n * NANOS_PER_SECOND, zone: UTC }

class TimeInstance extends Instance {
  readonly moment: Moment

  constructor(moment: Moment) {
    super(TIME_TYPE, methodsOf(moment), {
      text: () => formatTime(moment, '2006-01-02 15:04:05.999999999 -0700 MST'),
      inJson: () => formatTime(moment, '2006-01-02T15:04:05.999999999Z07:00'),
    })
    this.moment = moment
  }
}

function momentOf(time: Value): Moment {
  return (time as TimeInstance).moment
}

function methodsOf(moment: Moment): Readonly<Record<string, Method>> {
  const { nanos, zone } = moment
  const getting = (get: (clock: Date) => Value): Method => ({ parameters: [], call: () => get(clockOf(moment)) })
  return {
    Year: getting(clock => clock.getUTCFullYear()),
    Month: getting(clock => named('time.Month', MONTHS[clock.getUTCMonth()])),
    Day: getting(clock => clock.getUTCDate()),
    Weekday: getting(clock => named('time.Weekday', DAYS[clock.getUTCDay()])),
    YearDay: getting(dayOfYear),
    Hour: getting(clock => clock.getUTCHours()),
    Minute: getting(clock => clock.getUTCMinutes()),
    Second: getting(clock => clock.getUTCSeconds()),
    Nanosecond: getting(() => Number(fractionOf(nanos))),
    Unix: getting(() => int(secondsOf(moment))),
    UnixMilli: getting(() => int(floorDivide(nanos, 1_000_000n))),
    UnixMicro: getting(() => int(floorDivide(nanos, 1_000n))),
    UnixNano: getting(() => int(nanos)),
    IsZero: getting(() => nanos === ZERO.nanos),
    UTC: getting(() => new TimeInstance({ nanos, zone: UTC })),
    Local: getting(() => new TimeInstance({ nanos, zone: UTC })),
    String: getting(() => formatTime(moment, '2006-01-02 15:04:05.999999999 -0700 MST')),
    Format: { parameters: ['string'], call: ([layout]) => formatTime(moment, layout as string) },
    AddDate: {
      parameters: ['int', 'int', 'int'],
      call: dates => new TimeInstance({ nanos: nanos + daysAfter(clockOf(moment), dates as readonly Value[]), zone }),
    },
    Equal: comparing(moment, order => order === 0n),
    After: comparing(moment, order => order > 0n),
    Before: comparing(moment, order => order < 0n),
  }
}

/** An integer in Go that prints as its name. */
function named(type: string, name = ''): Value {
  return new Instance(type, { String: { parameters: [], call: () => name } }, { text: () => name })
}

function comparing(moment: Moment, meaning: (order: bigint) => boolean): Method {
  return {
    parameters: ['any'],
    call([other]) {
      if (!(other instanceof TimeInstance)) throw new Error('want a time to compare with; use toDate')
      return meaning(moment.nanos - other.moment.nanos)
    },
  }
}

function floorDivide(value: bigint, by: bigint): bigint {
  return (value - (((value % by) + by) % by)) / by
}

/** The nanoseconds from a date to the one that is so many years, months and days later, whatever their lengths. */
function daysAfter(clock: Date, dates: readonly Value[]): bigint {
  const [years = 0, months = 0, days = 0] = dates.map(Number)
  const later = new Date(clock)
  later.setUTCFullYear(clock.getUTCFullYear() + years, clock.getUTCMonth() + months, clock.getUTCDate() + days)
  if (Number.isNaN(later.getTime())) throw new Error('the date is out of range')
  return BigInt(later.getTime() - clock.getTime()) * 1_000_000n
}

function isInt(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function secondsIn(value: Value): bigint {
  if (isInt(value)) return BigInt(value)
  if (typeof value !== 'string' || !/^[-+]?[0-9]{1,40}$/.test(value)) return 0n
  return clamped(BigInt(value.replace('+', '')))
}

function durationOf(value: Value, now: () => number): bigint {
  if (isInt(value)) return BigInt(value)
  if (value instanceof TimeInstance) return since(value, now)
  if (typeof value !== 'string') return 0n
  try {
    return parseDuration(value, String)
  } catch {
    return 0n
  }
}

/** How long ago a time was; what is none is now. */
function since(value: Value, now: () => number): bigint {
  const { nanos } = momentAt(now())
  if (value instanceof TimeInstance) return clamped(nanos - value.moment.nanos)
  return isInt(value) ? clamped(nanos - BigInt(value) * NANOS_PER_SECOND) : 0n
}

/** To whole seconds, half away from zero. */
function rounded(nanos: bigint): bigint {
  const half = nanos < 0n ? -NANOS_PER_SECOND / 2n : NANOS_PER_SECOND / 2n
  return ((nanos + half) / NANOS_PER_SECOND) * NANOS_PER_SECOND
}
