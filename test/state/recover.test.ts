import { assert, array, constantFrom, integer, oneof, property, record, uniqueArray } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compact, CONDEMNED_MAX, recover, type Entry, type Intended } from '../../lib/state/recover.ts'

function intended(generation: number, fields: Partial<Intended> = {}): Intended {
  return { kind: 'intended', generation, digest: `d${generation}`, hooks: ['hup', 'http'], changed: ['a'], ...fields }
}
const delivered = (generation: number, hook: string): Entry => ({ kind: 'delivered', generation, hook })
const confirmed = (generation: number): Entry => ({ kind: 'confirmed', generation })
const condemned = (generation: number, digest = `d${generation}`): Entry => ({
  kind: 'condemned',
  generation,
  digest,
  why: `probe of ${generation}`,
})

describe('recover()', () => {
  test('an empty journal leaves nothing to do', () => {
    expect(recover([], undefined, [])).toEqual({
      unfinished: undefined,
      known: false,
      digest: undefined,
      changed: [],
      restores: undefined,
      owed: [],
      told: [],
      confirmed: false,
      condemned: undefined,
      lastConfirmed: undefined,
      lastConfirmedDigest: undefined,
      condemnedDigests: new Map(),
      nextNumber: 1,
    })
  })

  test('a lost journal is known to be lost, and no number is given again', () => {
    expect(recover([], 41, [40, 41, 43])).toMatchObject({ known: false, owed: [], nextNumber: 44 })
  })

  test('an intent that is not visible is unfinished, when it lies there and is newer', () => {
    const entries = [intended(1), intended(2)]

    expect(recover(entries, 1, [1, 2]).unfinished).toBe(2)
    expect(recover(entries, undefined, [1, 2]).unfinished).toBe(2)
    expect(recover(entries, 2, [1, 2]).unfinished).toBeUndefined()
    expect(recover(entries, 1, [1]).unfinished).toBeUndefined()
    expect(recover(entries, 3, [1, 2, 3]).unfinished).toBeUndefined()
  })

  test('the visible generation owes the hooks of its own intent that were not told of it', () => {
    const entries = [
      intended(1),
      delivered(1, 'hup'),
      delivered(1, 'http'),
      intended(2, { hooks: ['hup', 'http', 'new'], changed: ['b', 'c'], restores: 1 }),
      delivered(2, 'http'),
    ]

    expect(recover(entries, 2, [1, 2])).toMatchObject({
      known: true,
      digest: 'd2',
      changed: ['b', 'c'],
      restores: 1,
      owed: ['hup', 'new'],
    })
    expect(recover(entries, 2, [1, 2]).told).toEqual(['http'])
    expect(recover(entries, 1, [1, 2])).toMatchObject({ digest: 'd1', owed: [], restores: undefined })
  })

  test('probation ends with the generation that it was about', () => {
    const entries = [intended(1), confirmed(1), intended(2), condemned(2)]

    expect(recover(entries, 1, [1, 2])).toMatchObject({ confirmed: true, condemned: undefined })
    expect(recover(entries, 2, [1, 2])).toMatchObject({ confirmed: false, condemned: 'probe of 2', lastConfirmed: 1 })
  })

  test('the last word on a generation counts: one that had to stay may be confirmed later', () => {
    const entries = [intended(1), condemned(1)]

    expect(recover(entries, 1, [1])).toMatchObject({
      confirmed: false,
      condemned: 'probe of 1',
      lastConfirmed: undefined,
    })
    expect(recover([...entries, confirmed(1)], 1, [1])).toMatchObject({
      confirmed: true,
      condemned: undefined,
      lastConfirmed: 1,
    })
  })

  test('forgets what was condemned once something new is confirmed, but not for a rollback', () => {
    const entries = [intended(1), confirmed(1), intended(2), condemned(2), intended(3, { digest: 'd1', restores: 1 })]

    expect([...recover([...entries, confirmed(3)], 3, [1, 2, 3]).condemnedDigests.keys()]).toEqual(['d2'])
    const later = [...entries, confirmed(3), intended(4), confirmed(4)]
    expect(recover(later, 4, [3, 4]).condemnedDigests.size).toBe(0)
    expect([...recover([...later, intended(5), condemned(5)], 5, [4, 5]).condemnedDigests.keys()]).toEqual(['d5'])
  })

  test('goes back only to what was confirmed, lies there, and was not condemned since', () => {
    const entries = [
      intended(1),
      confirmed(1),
      intended(2),
      confirmed(2),
      intended(3, { digest: 'd2' }),
      condemned(3, 'd2'),
      intended(4),
    ]

    expect(recover(entries, 4, [1, 2, 3, 4])).toMatchObject({ lastConfirmed: 1, lastConfirmedDigest: 'd1' })
    expect(recover(entries, 4, [2, 3, 4]).lastConfirmed).toBeUndefined()
  })

  test('remembers condemned contents, the newest of them, with the newest reason', () => {
    const entries = [
      condemned(1, 'same'),
      ...Array.from({ length: CONDEMNED_MAX }, (_, i) => condemned(i + 2)),
      condemned(CONDEMNED_MAX + 2, 'same'),
    ]

    const { condemnedDigests } = recover(entries, undefined, [])

    expect(condemnedDigests.size).toBe(CONDEMNED_MAX)
    expect(condemnedDigests.get('same')).toBe(`probe of ${CONDEMNED_MAX + 2}`)
    expect(condemnedDigests.has('d2')).toBe(false)
    expect(condemnedDigests.has('d3')).toBe(true)
  })

  test('the next number is greater than any that is known', () => {
    expect(recover([intended(7), intended(3)], 3, [2, 3]).nextNumber).toBe(8)
    expect(recover([intended(7)], 7, [7, 9]).nextNumber).toBe(10)
    expect(recover([], 5, []).nextNumber).toBe(6)
  })
})

describe('compact()', () => {
  const numbers = integer({ min: 1, max: 12 })
  const digests = constantFrom('A', 'B', 'C')
  const entries = array(
    oneof(
      record({
        kind: constantFrom('intended' as const),
        generation: numbers,
        digest: digests,
        hooks: uniqueArray(constantFrom('hup', 'http')),
        changed: uniqueArray(constantFrom('a', 'b')),
      }),
      record({
        kind: constantFrom('intended' as const),
        generation: numbers,
        digest: digests,
        hooks: constantFrom<string[]>([]),
        changed: constantFrom<string[]>([]),
        restores: numbers,
      }),
      record({ kind: constantFrom('delivered' as const), generation: numbers, hook: constantFrom('hup', 'http') }),
      record({ kind: constantFrom('confirmed' as const), generation: numbers }),
      record({
        kind: constantFrom('condemned' as const),
        generation: numbers,
        digest: digests,
        why: constantFrom('probe', 'hook'),
      }),
    ),
    { maxLength: 60 },
  )

  test('changes nothing that recover() says, now or after more was added', () => {
    assert(
      property(
        entries,
        entries,
        uniqueArray(numbers),
        integer({ min: 0, max: 8 }),
        (before, after, lying, recentMin) => {
          const compacted = compact(
            before.map(entry => ({ entry })),
            lying,
            recentMin,
          ).map(({ entry }) => entry)
          // What is intended afterwards comes to lie there, too; what lies there may go.
          const new_ = after.filter(entry => entry.kind === 'intended').map(entry => entry.generation + 12)
          const later = after.map(entry => ({ ...entry, generation: entry.generation + 12 }))
          for (const there of [lying, lying.slice(1), [...lying, ...new_]]) {
            for (const visible of [undefined, ...there]) {
              expect(recover(compacted, visible, there)).toEqual(recover(before, visible, there))
              expect(recover([...compacted, ...later], visible, there)).toEqual(
                recover([...before, ...later], visible, there),
              )
            }
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('forgets what nothing needs', () => {
    const records = Array.from({ length: 1_000 }, (_, i) => i + 1).flatMap(number =>
      [intended(number), delivered(number, 'hup'), delivered(number, 'http'), confirmed(number)].map(entry => ({
        entry,
      })),
    )

    expect(compact(records, [999, 1_000], 0)).toEqual(records.slice(-8))
    expect(compact(records, [999, 1_000], 100)).toEqual(records.slice(-100))
  })
})
