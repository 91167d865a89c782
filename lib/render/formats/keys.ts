import { nearest } from '../../base/nearest.ts'
import type { KeyOptions } from '../../format.ts'
import { compareText } from '../../template/operand.ts'
import { mapFor, type Plain } from './plain.ts'
import { Refusal, shownKey } from './refusal.ts'

/** A map with the keys that were chosen, under their new names; what needs no choice may be anything. */
export function chooseKeys(value: Plain, { only, except, prefix, upper }: KeyOptions): Plain {
  if (only === undefined && except.length === 0 && prefix === '' && !upper) return value
  const map = mapFor('only, except, prefix and upper', value)
  for (const key of only ?? []) if (!map.has(key)) throw missing('only', key, map.keys())
  // A key that is misspelt here would be published.
  for (const key of except) if (!map.has(key)) throw missing('except', key, map.keys())
  const origins = new Map<string, string>()
  const chosen = [...map].filter(([key]) => (only === undefined || only.includes(key)) && !except.includes(key))
  const renamed = chosen.map(([key, item]) => {
    const name = upper ? variable(prefix + key) : prefix + key
    const other = origins.get(name)
    if (other !== undefined) {
      throw new Refusal(
        `${shownKey(other)} and ${shownKey(key)} both become ${shownKey(name)}`,
        'leave one out with except',
      )
    }
    origins.set(name, key)
    return [name, item] as const
  })
  return new Map(renamed.toSorted(([a], [b]) => compareText(a, b)))
}

/** As variables of an environment are named. */
function variable(key: string): string {
  return key.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')
}

function missing(option: 'only' | 'except', key: string, keys: Iterable<string>): Refusal {
  const near = nearest(key, keys)
  const otherwise = option === 'only' ? 'add it at the source, or remove it from only' : 'remove it from except'
  const hint = near === undefined ? otherwise : `did you mean ${shownKey(near)}?`
  return new Refusal(`${option}: there is no ${shownKey(key)}`, hint)
}
