/** The schemas that several parts of a configuration are made of. */
import { durationMs, v } from '../base/schema.ts'
import { listed } from './finding.ts'

const NAME_WANT = 'a name of letters, digits, - and _, that begins with a letter or digit'

export const nameSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, NAME_WANT),
  v.maxLength(64, 'a name of at most 64 characters'),
)

/** A program and its arguments; there is no shell. */
export function commandLine(want = 'a program and its arguments as a list such as [nginx, -t]') {
  return v.pipe(
    v.array(plainString('a string'), want),
    v.check(([program = '']) => program !== '', want),
  )
}

/** A string that the system takes as an argument or in an environment. */
export function plainString(want: string) {
  return v.pipe(
    v.string(want),
    v.check(text => !text.includes('\0'), `${want} without a NUL`),
  )
}

const URL_WANT = 'a URL that begins with http:// or https://'

/** An `http:` or `https:` URL, parsed. */
export function httpUrl() {
  return v.pipe(
    v.string(URL_WANT),
    v.check(text => /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) && new URL(text).hash === '', URL_WANT),
    v.transform(text => new URL(text)),
  )
}

const STATUS_WANT = 'an HTTP status such as 200'

/** One status or several, as a list. */
export function statuses(description: string) {
  const status = v.pipe(
    v.number(STATUS_WANT),
    v.integer(STATUS_WANT),
    v.minValue(200, STATUS_WANT),
    v.maxValue(599, STATUS_WANT),
  )
  const one = v.pipe(
    status,
    v.transform(only => [only]),
  )
  const several = v.pipe(v.array(status), v.minLength(1, 'at least one status'))
  return v.pipe(v.union([one, several], 'an HTTP status or a list of them'), v.description(description))
}

/** How long one try may take. */
export function timeout(fallback: `${number}s`) {
  return v.optional(v.pipe(durationMs({ least: 1 }), v.description('For one try.')), fallback)
}

type MappingSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>
type AnyMapping = v.GenericSchema<unknown, unknown>

/** One of several mappings, told apart by the key that only one of them has. A plain union would know only that none fits; this
 *  knows which one was meant, and says so when it is none or two. */
export function byKey<const Kinds extends Readonly<Record<string, AnyMapping>>>(kinds: Kinds) {
  const options = Object.values(kinds) as Kinds[keyof Kinds][]
  const undecided = undecidedSchema(kinds)
  const choose = (input: unknown): v.GenericSchema => {
    const present = Object.keys(kinds).filter(key => isIn(key, input))
    const [only] = present
    return only !== undefined && present.length === 1 ? (kinds[only] as v.GenericSchema) : undecided
  }
  const union = v.union(options)
  const chosen = {
    ...union,
    choose,
    kinds,
    '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) =>
      choose(dataset.value)['~run'](dataset, config),
  }
  return chosen as typeof union
}

/** Knows every key of all kinds, so that what else is wrong is found as well, and always says that no kind was chosen. */
function undecidedSchema(kinds: Readonly<Record<string, AnyMapping>>) {
  const all = Object.values(kinds).flatMap(kind => Object.entries((kind as unknown as MappingSchema).entries))
  const names = Object.keys(kinds)
  return v.pipe(
    v.strictObject(Object.fromEntries(all.map(([key, schema]) => [key, v.optional(schema)]))),
    v.rawCheck(({ dataset, addIssue }) => {
      if (typeof dataset.value !== 'object' || dataset.value === null) return
      const present = names.filter(name => isIn(name, dataset.value))
      addIssue({
        message: `one of the keys ${listed(names)}, got ${present.length === 0 ? 'none of them' : listed(present, 'and')}`,
      })
    }),
  )
}

function isIn(key: string, input: unknown): boolean {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, key)
}
