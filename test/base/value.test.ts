import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Float, int, sameValue, Struct, toValue, Uint, type Value } from '../../lib/base/value.ts'

const { value: values } = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Value>(null, true, false),
    fc.string(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(int),
    fc.double().map(value => new Float(value)),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(value => new Uint(value)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string({ maxLength: 3 }), tie('value')), { maxLength: 4 }).map(entries => new Map(entries)),
    fc.tuple(fc.constantFrom('A', 'B'), tie('value')).map(([name, field]) => new Struct(name, new Map([['F', field]]))),
  ),
}))

/** The same value in another identity. */
function copyOf(value: Value): Value {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Float) return new Float(value.value)
  if (value instanceof Uint) return new Uint(value.value)
  if (value instanceof Struct) return new Struct(value.typeName, copyOfMap(value.fields))
  if (value instanceof Map) return copyOfMap(value as ReadonlyMap<string, Value>)
  return (value as readonly Value[]).map(copyOf)
}

function copyOfMap(map: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  return new Map([...map].toReversed().map(([key, value]) => [key, copyOf(value)]))
}

describe('int()', () => {
  test.for([
    [0n, 0],
    [-1n, -1],
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [2n ** 53n, 2n ** 53n],
    [-(2n ** 53n), -(2n ** 53n)],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [2n ** 63n, -(2n ** 63n)],
    [2n ** 64n + 5n, 5],
  ] as const)('of %s is %s', ([input, output]) => {
    expect(int(input)).toBe(output)
  })

  test('has one form for each integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), input => {
        const output = int(input)
        expect(BigInt(output)).toBe(input)
        expect(typeof output).toBe(
          Number.isSafeInteger(Number(input)) && BigInt(Number(input)) === input ? 'number' : 'bigint',
        )
      }),
    )
  })
})

describe('sameValue()', () => {
  test('holds between a value and its copy, whatever the order of a map', () => {
    fc.assert(
      fc.property(values, value => {
        expect(sameValue(value, copyOf(value))).toBe(true)
      }),
    )
  })

  test('holds in both directions or in none', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(sameValue(a, b)).toBe(sameValue(b, a))
      }),
    )
  })

  const distinct: readonly Value[] = [
    null,
    false,
    true,
    0,
    1,
    '',
    '1',
    2n ** 60n,
    new Float(0),
    new Float(-0),
    new Float(1),
    new Float(Number.NaN),
    new Uint(1n),
    new Uint(2n ** 60n),
    [],
    [null],
    [[]],
    [1],
    new Map(),
    new Map([['a', null]]),
    new Map([['b', null]]),
    new Map<string, Value>([
      ['a', null],
      ['b', null],
    ]),
    new Struct('T', new Map()),
    new Struct('U', new Map()),
    new Struct('T', new Map([['a', null]])),
  ]

  test('tells apart what differs in type, length, name or entry', () => {
    const same = distinct.map(a => distinct.filter(b => sameValue(a, b)).length)

    expect(same).toEqual(distinct.map(() => 1))
  })
})

describe('toValue()', () => {
  test.for([
    ['an integer', 5, 5],
    ['minus zero', -0, new Float(-0)],
    ['a fraction', 1.5, new Float(1.5)],
    ['an integer too large to be exact', 2 ** 60, new Float(2 ** 60)],
    ['a bigint that is a safe integer', 7n, 7],
    ['an int64', -(2n ** 63n), -(2n ** 63n)],
    ['a uint64', 2n ** 64n - 1n, new Uint(2n ** 64n - 1n)],
    ['an integer above uint64', 2n ** 64n, new Float(2 ** 64)],
    ['an integer below int64', -(2n ** 63n) - 1n, new Float(-(2 ** 63))],
    ['undefined', undefined, null],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a list', [1, [null]], [1, [null]]],
    ['an object', { a: { b: 'c' } }, new Map([['a', new Map([['b', 'c']])]])],
    ['a map with a number as its key', new Map([[1, 2.5]]), new Map([['1', new Float(2.5)]])],
    ['a value', new Uint(3n), new Uint(3n)],
  ] as const)('takes %s', ([, input, output]) => {
    expect(sameValue(toValue(input), output as Value)).toBe(true)
  })

  test('takes a key that every object has', () => {
    const parsed: unknown = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}')

    expect(toValue(parsed)).toEqual(
      new Map<string, Value>([
        ['__proto__', new Map([['a', 1]])],
        ['constructor', 2],
      ]),
    )
  })
})
