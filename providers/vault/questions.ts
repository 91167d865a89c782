/** What templates ask a Vault provider. The functions are consul-template's, with its results. */
import { parseDurationMs } from '../../lib/base/duration.ts'
import { listed } from '../../lib/base/listed.ts'
import { nearest } from '../../lib/base/nearest.ts'
import { Struct, type Value } from '../../lib/base/value.ts'
import type { Question } from '../../lib/provider.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { reads, Written } from './dependencies.ts'
import { parseAsked, type Asked } from './paths.ts'
import { dataOf, mapOf, type Fields } from './secret.ts'

/** What a reading of a secret is: the answer as `secret` gives it, and whether the engine is KV v2, whose data is one deeper. */
export const SECRET = 'vault.Reading'

/** `ref "NAME://MOUNT/PATH#FIELD"`: a field of a secret, or all of them. The path has no `data/`, whatever the engine. Without a path
 *  it is the token of the provider itself. */
export const referenceQuestion: Question = {
  hasFields: true,
  ask(provider, args) {
    const [path, field] = args
    const isField = field === undefined || (typeof field === 'string' && field !== '')
    if (args.length > 2 || typeof path !== 'string' || !isField) throw new Error('want one path, a string')
    const own = /^(?:\?(.*))?$/s.exec(path)
    if (own !== null) return reads(provider, 'token', ownToken(own[1] ?? ''))
    return reads(provider, 'secret', parseAsked(path))
  },
  answer(reading, [, field]) {
    const values = mapOf(reading.value === absent ? undefined : (reading.value as Value)) ?? valuesOf(reading)
    return field === undefined ? values : fieldOf(values, field as string)
  },
}

/** `secret "PATH"` reads, `secret "PATH" "NAME=VALUE" …` writes and gives what the server answers. */
export const secret: Question = {
  ask(provider, args) {
    const [path, ...pairs] = textsIn(args, 'want a path, and for a write "NAME=VALUE" after it')
    const asked = parseAsked(path ?? '')
    return pairs.length === 0 ? asRead(provider, asked) : new Written(provider, 'write', asked, fieldsIn(pairs))
  },
  answer: secretIn,
}

/** `secrets "PATH"`: the names below a path, sorted; none where there is nothing. */
export const secrets: Question = {
  answersAbsent: true,
  ask(provider, args) {
    const [path, ...more] = textsIn(args, 'want one path')
    if (more.length > 0) throw new Error('want one path')
    return reads(provider, 'list', parseAsked(path ?? ''))
  },
  answer({ value }) {
    if (value === absent) return []
    if (Array.isArray(value)) return value
    throw new TypeError('a reading of a list is a list')
  },
}

/** `secretOrDefault "PATH" DEFAULT`: the secret, or the default where there is none; with a field between the two, that field. */
export const secretOrDefault: Question = {
  answersAbsent: true,
  ask(provider, args) {
    const [path, field] = args
    if (args.length < 2 || args.length > 3 || typeof path !== 'string') {
      throw new Error('want a path, a field if it is one that is wanted, and a default')
    }
    if (args.length === 2) return asRead(provider, parseAsked(path))
    if (typeof field !== 'string' || field === '') throw new Error('want the name of a field, a string')
    return reads(provider, 'secret', parseAsked(path))
  },
  answer(reading, args) {
    const fallback = args.at(-1) as Value
    if (reading.value === absent) return fallback
    if (args.length === 2) return secretIn(reading)
    return fieldIn(valuesOf(reading), args[1] as string) ?? fallback
  },
}

/** `pkiCert "PATH" "NAME=VALUE" …`: one issue of a certificate. Every file that asks for the same has the same one. */
export const pkiCert: Question = {
  ask(provider, args) {
    const [path, ...pairs] = textsIn(args, 'want a path, and "NAME=VALUE" after it')
    return new Written(provider, 'certificate', parseAsked(path ?? ''), fieldsIn(pairs))
  },
  answer({ value }) {
    if (!(value instanceof Struct)) throw new TypeError('a reading of a certificate is a struct')
    return value
  },
}

/** `vaultToken`: the token that the provider itself asks with; `vaultToken "wrap=5m"` in a wrapping that is good for so long. */
export const vaultToken: Question = {
  ask(provider, args) {
    if (args.length > 1 || !args.every(arg => typeof arg === 'string')) throw new Error(WRAP_WANTED)
    return reads(provider, 'token', ownToken(args[0] ?? ''))
  },
  answer(reading) {
    return fieldOf(mapOf(reading.value as Value) ?? new Map(), 'token')
  },
}

/** Less would be made anew too often. */
const WRAP_MS_MIN = 15_000
const WRAP_MS_MAX = 366 * 24 * 3_600_000
const WRAP_WANTED = 'want nothing, or "wrap=DURATION", such as "wrap=5m", of whole seconds and at least 15s'

function ownToken(query: string): Asked {
  if (query === '') return { path: '', params: {} }
  const wrapMs = parseDurationMs(/^wrap=(.*)$/s.exec(query)?.[1] ?? '')
  const isGood = wrapMs !== undefined && wrapMs >= WRAP_MS_MIN && wrapMs <= WRAP_MS_MAX && wrapMs % 1_000 === 0
  if (!isGood) throw new Error(WRAP_WANTED)
  return { path: '', params: { wrap: `${wrapMs / 1_000}s` } }
}

/** A path without a part that KV v2 gives a meaning to is the same whichever way it is asked for, and so one dependency. */
function asRead(provider: string, asked: Asked) {
  const isApi = /(^|\/)(data|metadata|subkeys)(\/|$)/.test(asked.path)
  return reads(provider, isApi ? 'api' : 'secret', asked)
}

function textsIn(args: readonly Value[], wanted: string): readonly string[] {
  if (args.length > 0 && args.every(arg => typeof arg === 'string')) return args
  throw new Error(wanted)
}

/** As consul-template takes them: spaces around name and value do not count, and an empty pair is none. */
function fieldsIn(pairs: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const pair of pairs.filter(pair => pair !== '')) {
    const at = pair.indexOf('=')
    // What it was given is not shown: it may be the secret that was to be written.
    if (at < 0) throw new Error('want "NAME=VALUE" after the path')
    fields.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim())
  }
  return fields
}

function partsOf({ value }: Reading): { readonly secret: Struct; readonly isVersioned: boolean } {
  if (!(value instanceof Struct) || value.typeName !== SECRET) throw new TypeError('a reading of a path is a secret')
  return { secret: value.fields.get('Secret') as Struct, isVersioned: value.fields.get('IsVersioned') === true }
}

function secretIn(reading: Reading): Struct {
  return partsOf(reading).secret
}

function valuesOf(reading: Reading): Fields {
  const { secret, isVersioned } = partsOf(reading)
  const data = dataOf(secret)
  return isVersioned ? (mapOf(data.get('data')) ?? new Map()) : data
}

/** A name with dots in it goes before a way down. */
function fieldIn(values: Fields, field: string): Value | undefined {
  if (values.has(field)) return values.get(field)
  let found: Value | undefined = values
  for (const key of field.split('.')) found = mapOf(found)?.get(key)
  return found
}

function fieldOf(values: Fields, field: string): Value {
  const found = fieldIn(values, field)
  if (found !== undefined) return found
  const near = nearest(field, values.keys())
  const names = listed([...values.keys()])
  const more = near === undefined ? `it has ${names === '' ? 'none' : names}` : `did you mean "${near}"?`
  throw new Error(`#${field}: the secret has no such field; ${more}`)
}
