/** Durations as Go writes them, `1h2m3.5s`, `250ms`, `-1.5h`: what every tool in this field takes
 *  (https://pkg.go.dev/time#ParseDuration). */

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** The duration in milliseconds, or undefined when the text is not one. `0` needs no unit; everything else does. */
export function parseDurationMs(text: string): number | undefined {
  const [, sign = '', rest = ''] = /^([-+]?)(.*)$/s.exec(text) ?? []
  if (rest === '0') return 0
  const parts = [...rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== rest) return undefined
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit as string] as number), 0)
  return sign === '-' ? -total : total
}

type Four = [number, number, number, number]

/** A duration for people: the largest two units, `3m20s`, `1.5s`, `250ms`. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs < 0) return `-${formatDurationMs(-durationMs)}`
  // Each is rounded before it is compared, or 59.99 seconds would be `60s` and 59 minutes and 59.9 seconds `59m60s`.
  const [ms, tenths, seconds, minutes] = [1, 100, 1_000, 60_000].map(unit => Math.round(durationMs / unit)) as Four
  if (ms < 1_000) return `${ms}ms`
  if (tenths < 600) return `${tenths / 10}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`
}
