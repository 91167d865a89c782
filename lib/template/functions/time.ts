import type { TemplateFunction } from '../function.ts'
import { formatTime, momentAt } from '../time.ts'

/** What the functions on time need of the world. */
export interface Time {
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const RFC3339 = '2006-01-02T15:04:05Z07:00'

export const timeFunctions: readonly TemplateFunction<Time>[] = [
  {
    name: 'timestamp',
    signature: 'timestamp [LAYOUT|"unix"]',
    parameters: [],
    variadic: 'string',
    call(context, args) {
      if (args.length > 1) {
        throw new Error(`timestamp: wrong number of arguments, expected 0 or 1, but got ${args.length}`)
      }
      const [layout = RFC3339] = args as readonly string[]
      const now = context.now()
      return layout === 'unix' ? String(Math.floor(now / 1000)) : formatTime(momentAt(now), layout)
    },
  },
]
