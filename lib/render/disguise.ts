import { Struct, type Value } from '../base/value.ts'
import { IntMap, isList, isMap } from '../template/operand.ts'

/** Fields of a provider's pairs that are names, as everybody may see them. */
const NAMES: ReadonlySet<string> = new Set(['Key', 'Path'])

/** What stands for a text, a number and a truth in each of two disguises that have little in common. */
const STAND_INS = [
  { text: 'one', number: 1, truth: true },
  { text: 'Something else, and longer.', number: 1_000_003, truth: false },
] as const

/** Two values of the same shape and names as this one, with other texts, numbers and truths in them: what comes out alike for all
 *  three shows none. */
export function disguises(value: Value): readonly Value[] {
  return STAND_INS.map(standIn => disguised(value, standIn))
}

function disguised(value: Value, standIn: (typeof STAND_INS)[number]): Value {
  if (value instanceof Struct) {
    const fields = Array.from(
      value.fields,
      ([name, field]) => [name, NAMES.has(name) ? field : disguised(field, standIn)] as const,
    )
    return new Struct(value.typeName, new Map(fields))
  }
  if (isList(value)) return value.map(item => disguised(item, standIn))
  if (isMap(value)) {
    const items = Array.from(value, ([key, item]) => [key, disguised(item, standIn)] as const)
    return value instanceof IntMap ? new IntMap(items) : new Map(items)
  }
  if (typeof value === 'string') return standIn.text
  if (typeof value === 'boolean') return standIn.truth
  return value === null ? null : standIn.number
}
