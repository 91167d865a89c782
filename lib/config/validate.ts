import { nearest } from '../base/nearest.ts'
import { inContext, v, type Schema, type SchemaContext } from '../base/schema.ts'
import { isMapping, isWord, listed, valueAt, type Finding, type Path } from './finding.ts'
import {
  choicesOf,
  isMappingShape,
  isShowable,
  isStrict,
  judges,
  judgesAt,
  kindsKnowing,
  shapeOf,
  wantOf,
  type Shape,
} from './shape.ts'

export interface ValidateOptions extends SchemaContext {
  /** Where the input stands in the configuration. */
  readonly base: Path
  /** Whether the string at a path of the configuration came out of the environment. */
  readonly isExpanded: (path: Path) => boolean
}

export interface Validated<T> {
  readonly findings: readonly Finding[]
  /** Set when nothing was found. */
  readonly output?: T
}

/** Runs a schema over an input and finds everything that is wrong. valibot's own messages echo what they received, and it stops
 *  at the first unknown key and takes a list for a mapping; so unknown keys are looked for here, and every text is ours. */
export function validate<T>(schema: Schema<T>, input: unknown, options: ValidateOptions): Validated<T> {
  const shape = shapeOf(schema)
  const refused: Finding[] = []
  const unknown: Finding[] = []
  inspect(shape, input, [], { refused, unknown })
  const { directory } = options
  const result = v.safeParse(inContext(schema, { directory, message: () => NO_WORDS }), input)
  if (result.success && refused.length === 0 && unknown.length === 0) return { findings: [], output: result.output }
  const issues = result.success ? [] : result.issues.flatMap(issue => findingsOf(issue, [], { shape, input, options }))
  const believed = issues.filter(({ path }) => !refused.some(other => isWithin(path, other.path)))
  return {
    findings: [...refused, ...unknown, ...believed].map(finding => ({
      ...finding,
      path: [...options.base, ...finding.path],
    })),
  }
}

/** What stands in for a message of valibot's own. */
const NO_WORDS = '\0'

interface Inspection {
  readonly refused: Finding[]
  readonly unknown: Finding[]
}

/** Goes through the input beside the schema, for what valibot does not tell. */
function inspect(shape: Shape, input: unknown, path: Path, inspection: Inspection): void {
  if (typeof input !== 'object' || input === null) return
  const shapes = judges(shape, input)
  const mappings = shapes.filter(isMappingShape)
  if (Array.isArray(input)) {
    if (mappings.length > 0 && mappings.length === shapes.length) {
      inspection.refused.push({ path, message: `want ${wantOf(mappings[0] as Shape)}, got ${kindOf(input)}` })
      return
    }
  } else if (mappings.length > 0 && mappings.every(isStrict)) {
    const known = [...new Set(mappings.flatMap(({ entries }) => Object.keys(entries ?? {})))]
    for (const key of Object.keys(input)) {
      if (known.includes(key)) continue
      const elsewhere = kindsKnowing(shape, key)
      inspection.unknown.push({ path: [...path, key], at: 'key', ...unknownKey(key, known, elsewhere) })
    }
  }
  const keys = Array.isArray(input) ? [...input.keys()] : Object.keys(input)
  for (const key of keys) {
    const value = (input as Record<string | number, unknown>)[key]
    if (typeof value !== 'object' || value === null) continue
    for (const each of new Set(shapes.map(judge => childOf(judge, key)))) {
      if (each !== undefined) inspect(each, value, [...path, key], inspection)
    }
  }
}

function childOf(judge: Shape, key: string | number): Shape | undefined {
  if (typeof key === 'number') return judge.item ?? judge.items?.[key] ?? judge.rest
  if (judge.entries !== undefined && Object.hasOwn(judge.entries, key)) return judge.entries[key]
  return judge.rest ?? (judge.type === 'record' ? judge.value : undefined)
}

/** @param elsewhere keys beside which it would be known */
function unknownKey(
  key: string,
  known: readonly string[],
  elsewhere: readonly string[],
): Pick<Finding, 'message' | 'hint'> {
  if (elsewhere.length > 0) {
    return { message: `want a key that is known here, got "${key}"`, hint: `it goes with ${listed(elsewhere)}` }
  }
  const near = nearest(key, known)
  const got = isWord(key) ? JSON.stringify(key) : 'another'
  return {
    message: `want a key that is known here, got ${got}`,
    hint:
      near !== undefined
        ? `did you mean ${JSON.stringify(near)}?`
        : known.length === 0
          ? 'there are none here'
          : `known here: ${known.toSorted().join(', ')}`,
  }
}

interface Judged {
  readonly shape: Shape
  readonly input: unknown
  readonly options: ValidateOptions
}

function findingsOf(issue: v.BaseIssue<unknown>, above: Path, judged: Judged): readonly Finding[] {
  const items = issue.path ?? []
  const path: Path = [...above, ...items.map(({ key }) => key as string | number)]
  const last = items.at(-1)
  if (isStrictType(issue) && last?.origin === 'key' && issue.expected === 'never') return []
  const value = valueAt(judged.input, path)
  // Of alternatives, those that got furthest into the value say most.
  const deeper = (issue.issues ?? []).filter(each => (each.path?.length ?? 0) > 0)
  if (deeper.length > 0) return firstPerPlace(deeper.flatMap(each => findingsOf(each, path, judged)))
  const want = wantFor(issue, path, judged)
  if (want.includes(', got ')) return [{ path, at: last?.origin === 'key' ? 'key' : 'value', message: `want ${want}` }]
  if (value === undefined) return [{ path, message: `want ${want}, got nothing` }]
  if (last?.origin === 'key') return [{ path, at: 'key', message: `want ${want}, got another key` }]
  const hint = hintFor(issue, path, value, judged)
  const finding = { path, message: `want ${want}, got ${gotFor(path, value, judged)}` }
  return [hint === undefined ? finding : { ...finding, hint }]
}

function isStrictType({ type }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' || type === 'strict_tuple'
}

function firstPerPlace(findings: readonly Finding[]): readonly Finding[] {
  const byPlace = new Map<string, Finding>()
  for (const finding of findings) {
    const place = JSON.stringify(finding.path)
    if (!byPlace.has(place)) byPlace.set(place, finding)
  }
  return [...byPlace.values()]
}

function wantFor(issue: v.BaseIssue<unknown>, path: Path, { shape, input }: Judged): string {
  const value = valueAt(input, path)
  const judging = judgesAt(shape, input, path)
  // A schema's own words are passed on, unless they were made for this value and have it in them.
  const isOwn = issue.message !== NO_WORDS
  if (isOwn && (typeof value !== 'string' || !issue.message.includes(value) || isWritten(issue.message, judging))) {
    return issue.message
  }
  if (issue.kind === 'validation') return wantOfCheck(issue)
  return listed([...new Set(judging.map(wantOf))]) || 'another value'
}

/** Whether a message is one that a schema always has. */
function isWritten(message: string, shapes: readonly Shape[]): boolean {
  return shapes.some(
    shape =>
      shape.message === message ||
      isWritten(
        message,
        (shape.pipe ?? []).filter(each => each !== shape),
      ),
  )
}

function wantOfCheck({ type, requirement, expected }: v.BaseIssue<unknown>): string {
  const limit = typeof requirement === 'number' || typeof requirement === 'bigint' ? String(requirement) : undefined
  switch (type) {
    case 'integer':
    case 'safe_integer':
      return 'a whole number'
    case 'min_value':
    case 'gt_value':
      return limit === undefined
        ? 'a greater value'
        : `a number ${type === 'min_value' ? 'of at least' : 'above'} ${limit}`
    case 'max_value':
    case 'lt_value':
      return limit === undefined
        ? 'a smaller value'
        : `a number ${type === 'max_value' ? 'of at most' : 'below'} ${limit}`
    case 'non_empty':
      return 'something that is not empty'
    case 'min_length':
      return `a length of at least ${limit}`
    case 'max_length':
      return `a length of at most ${limit}`
    case 'url':
      return 'a URL'
    case 'regex':
      return `a string that matches ${expected}`
    default:
      return 'another value'
  }
}

function gotFor(path: Path, value: unknown, { shape, input, options }: Judged): string {
  if (typeof value !== 'string') return kindOf(value)
  if (options.isExpanded([...options.base, ...path])) return 'a string with a value of the environment'
  if (!isShowable(shape, input, path)) return value === '' ? 'an empty string' : 'a string'
  return choicesAt(path, { shape, input }).length > 0 && value.length <= CHOICE_LENGTH_MAX
    ? JSON.stringify(value)
    : kindOf(value)
}

const CHOICE_LENGTH_MAX = 32

function hintFor(
  issue: v.BaseIssue<unknown>,
  path: Path,
  value: unknown,
  { shape, input }: Judged,
): string | undefined {
  if (typeof value === 'string') {
    const words = choicesAt(path, { shape, input }).filter(choice => typeof choice === 'string')
    const near = nearest(value, words)
    return near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`
  }
  if (value === null) return path.length === 0 ? undefined : 'give it a value, or remove the key'
  if (issue.message.startsWith('a duration')) return 'write the unit as well, as in 10s'
  if (issue.type === 'string')
    return typeof value === 'number' || typeof value === 'boolean' ? 'put it in quotes' : undefined
  return undefined
}

/** The values that can stand at a path, where a schema lists them. */
function choicesAt(path: Path, { shape, input }: Pick<Judged, 'shape' | 'input'>): readonly unknown[] {
  return judgesAt(shape, input, path).flatMap(choicesOf)
}

/** What a value is, without saying what it holds. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'an empty value'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (isMapping(value)) return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping'
  if (typeof value === 'string') {
    return value === ''
      ? 'an empty string'
      : `a string of ${value.length} ${value.length === 1 ? 'character' : 'characters'}`
  }
  return typeof value === 'boolean' ? 'a boolean' : 'a number'
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((part, i) => path[i] === part)
}
