import { Uint } from '../../base/value.ts'
import { printToml } from '../../template/functions/print-toml.ts'
import { checkAllText, eachPlace, isList, mapFor, type Plain } from './plain.ts'
import { placeOf, Refusal } from './refusal.ts'

const INT64_MAX = 2n ** 63n - 1n

/** A map as TOML. TOML has no null: a key that has nothing is left out, and nothing in a list is refused. Nor has it integers of
 *  more than 64 bits with a sign. */
export function encodeToml(value: Plain): string {
  const map = mapFor('TOML', value)
  checkAllText(map, 'TOML')
  eachPlace(map, (place, item) => {
    if (item instanceof Uint ? item.value > INT64_MAX : typeof item === 'bigint' && item > INT64_MAX) {
      throw new Refusal(
        `${placeOf(place)} is greater than ${INT64_MAX}, and TOML has no greater integers`,
        'write it as a text at the source, leave the key out with except, or use format: json',
      )
    }
    if (!isList(item) || !item.includes(null)) return
    throw new Refusal(
      `${placeOf(place)} is a list with a null in it, and TOML has none`,
      'remove it at the source, leave the key out with except, or use format: json',
    )
  })
  const text = printToml(map)
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
