/** The value in the middle; the higher of two. Quoted instead of a mean, since a busy machine only ever adds. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value that a share `q` of all is not above. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

/** Runs `work` again and again for about `durationMs`, and gives how long one run takes, in nanoseconds: the median of ten
 *  batches after a warm-up. */
export function timePerRunNs(work: () => void, durationMs = 1_000): number {
  const batchMs = durationMs / 12
  let runs = 0
  const warmUntil = performance.now() + 2 * batchMs
  while (performance.now() < warmUntil) {
    work()
    runs++
  }
  const batch = Math.max(1, Math.round(runs / 2))
  return median(
    Array.from({ length: 10 }, () => {
      const start = performance.now()
      for (let i = 0; i < batch; i++) work()
      return ((performance.now() - start) * 1e6) / batch
    }),
  )
}

/** One line of the report. */
export interface Figure {
  readonly what: string
  readonly value: string
  /** The goal and whether it is met, where there is one. */
  readonly goal?: { readonly text: string; readonly met: boolean }
}

/** Prints figures as an aligned table under a title. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  const width = Math.max(...figures.map(({ what }) => what.length))
  const valueWidth = Math.max(...figures.map(({ value }) => value.length))
  process.stdout.write(`\n${title}\n`)
  for (const { what, value, goal } of figures) {
    const verdict = goal === undefined ? '' : `  goal ${goal.text}: ${goal.met ? 'met' : 'MISSED'}`
    process.stdout.write(`  ${what.padEnd(width)}  ${value.padStart(valueWidth)}${verdict}\n`)
  }
}

export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`
}

export function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} x`
}
