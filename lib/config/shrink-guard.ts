import { durationMs, v } from '../base/schema.ts'

/** What the readings of a provider may lose at once before they are held back. */
export interface ShrinkGuardOptions {
  readonly holdMs: number
  /** The part of its entries that may go; to lose all of them is always too much. */
  readonly share: number
}

const HOLD = '30s'
const SHARE_WANT = 'a part between 0 and 1, such as 0.5'

const mapping = v.strictObject({
  hold: v.optional(
    v.pipe(
      durationMs({ least: 1 }),
      v.description('How long a list or tree that has lost too much at once is held back; 30s.'),
    ),
    HOLD,
  ),
  share: v.optional(
    v.pipe(
      v.number(SHARE_WANT),
      v.minValue(0, SHARE_WANT),
      v.maxValue(1, SHARE_WANT),
      v.metadata({
        description:
          'The part of its entries that it may lose at once; with 1, the default, only one that becomes empty is held back.',
        examples: [0.5],
      }),
    ),
    1,
  ),
})

/** `off`, or what is too much and for how long it is held back. On by default, for what becomes empty. */
export const shrinkGuardSchema = v.optional(
  v.union([
    v.pipe(
      v.literal('off'),
      v.transform((): undefined => undefined),
    ),
    v.pipe(
      mapping,
      v.transform(({ hold, share }): ShrinkGuardOptions => ({ holdMs: hold, share })),
    ),
  ]),
  {},
)
