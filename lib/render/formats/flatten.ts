import { eachPlace, isList, isMap, textOf, type PlainMap, type Scalar } from './plain.ts'
import { jsonLine } from './json.ts'
import { Refusal, shownKey } from './refusal.ts'

/** The entries of a map as texts: a map or list in it as one line of JSON, as other tools put it into one variable. */
export function withJson(map: PlainMap, format: string): readonly (readonly [string, string])[] {
  return [...map].map(([key, item]) => {
    return [key, isMap(item) || isList(item) ? jsonLine(item, key, format) : textOf(item)] as const
  })
}

/** The scalars of a map by where they are, `db.hosts[0]`, as Java's frameworks read structures. An empty map or list is an empty
 *  text, so that it does not vanish. Throws a Refusal when two are in one place. */
export function flattened(map: PlainMap): ReadonlyMap<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of map) {
    eachPlace(
      value,
      (place, item) => {
        const isEmpty = isMap(item) ? item.size === 0 : isList(item) && item.length === 0
        if ((isMap(item) || isList(item)) && !isEmpty) return
        if (flat.has(place)) {
          throw new Refusal(`two values want to be ${shownKey(place)}`, 'leave one of them out with except')
        }
        flat.set(place, isEmpty ? '' : textOf(item as Scalar))
      },
      key,
    )
  }
  return flat
}
