/** What a valibot schema says about a place in its input, for messages: which keys it knows, what is sensitive, what it wants.
 *  Schemas are only read here, never run, but for the discriminators of variants. */
import { v } from '../base/schema.ts'
import { isMapping, listed, type Path } from './finding.ts'

/** The parts of valibot's schemas that are looked at. Valibot documents them all as properties of its schema objects. */
export interface Shape {
  readonly kind: string
  readonly type: string
  readonly message?: unknown
  readonly entries?: Readonly<Record<string, Shape>>
  readonly rest?: Shape
  readonly item?: Shape
  readonly items?: readonly Shape[]
  readonly value?: Shape
  readonly wrapped?: Shape
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  /** Of a variant: the key that tells its options apart. */
  readonly key?: unknown
  readonly pipe?: readonly Shape[]
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly getter?: (input: unknown) => Shape
  /** Of our own unions: which option an input is for, and all of them by the key that only they have. */
  readonly choose?: (input: unknown) => Shape
  readonly kinds?: Readonly<Record<string, Shape>>
}

export function shapeOf(schema: v.GenericSchema): Shape {
  return schema
}

/** The schemas that judge `input`: wrappers removed, and of alternatives those that can apply. */
export function judges(shape: Shape, input: unknown): readonly Shape[] {
  if (shape.choose !== undefined) return judges(shape.choose(input), input)
  if (shape.wrapped !== undefined) return judges(shape.wrapped, input)
  if (shape.type === 'lazy' && shape.getter !== undefined) return judges(shape.getter(input), input)
  if (shape.type === 'variant') {
    const meant = optionsOf(shape).filter(option => isFor(option, shape.key as string, input))
    return meant.length > 0 ? meant.flatMap(option => judges(option, input)) : [undecided(shape)]
  }
  if (shape.type === 'union' || shape.type === 'intersect')
    return optionsOf(shape).flatMap(option => judges(option, input))
  return [shape]
}

/** The schemas that judge what is at a path of `input`; none where the path leads to what no schema knows. */
export function judgesAt(shape: Shape, input: unknown, path: Path): readonly Shape[] {
  let shapes: readonly Shape[] = [shape]
  let value = input
  for (const part of path) {
    shapes = shapes.flatMap(each => judges(each, value)).flatMap(each => below(each, part))
    value = isMapping(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined
  }
  return shapes.flatMap(each => judges(each, value))
}

/** Whether the value at a path can be shown: some schema knows it, and none says that it, or what it is in, is sensitive. */
export function isShowable(shape: Shape, input: unknown, path: Path): boolean {
  let shapes: readonly Shape[] = [shape]
  let value = input
  for (const part of [...path, undefined]) {
    const judged = shapes.flatMap(each => judges(each, value))
    if (judged.length === 0 || [...shapes, ...judged].some(isSensitive)) return false
    if (part === undefined) return judged.some(({ type }) => SCALAR_TYPES.has(type))
    shapes = judged.flatMap(each => below(each, part))
    value = isMapping(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined
  }
  return false
}

/** Schemas of what stands in one place; a scalar where a mapping should be may be anything. */
const SCALAR_TYPES: ReadonlySet<string> = new Set([
  'string',
  'number',
  'bigint',
  'boolean',
  'picklist',
  'enum',
  'literal',
  'null',
])

/** What is known of a variant when nothing says which of its options is meant: the values that would say it. */
function undecided(variant: Shape): Shape {
  const key = variant.key as string
  return {
    kind: 'schema',
    type: 'undecided',
    entries: { [key]: { kind: 'schema', type: 'picklist', options: discriminators(variant, key) } },
  }
}

function discriminators(variant: Shape, key: string): readonly unknown[] {
  return optionsOf(variant).flatMap(option => {
    if (option.type === 'variant') return discriminators(option, key)
    const entry = option.entries?.[key]
    return entry === undefined ? [] : judges(entry, undefined).flatMap(choicesOf)
  })
}

/** The other kinds of a union of our own that know a key, by the keys that only they have. */
export function kindsKnowing(shape: Shape, key: string): readonly string[] {
  const kinds = Object.entries(shape.kinds ?? {})
  return kinds.filter(([, kind]) => Object.hasOwn(kind.entries ?? {}, key)).map(([name]) => name)
}

/** Whether a schema is a mapping with fixed keys and no others. */
export function isStrict(shape: Shape): boolean {
  return shape.type === 'strict_object'
}

export function isMappingShape({ type }: Shape): boolean {
  return MAPPING_TYPES.has(type)
}

const MAPPING_TYPES: ReadonlySet<string> = new Set([
  'strict_object',
  'loose_object',
  'object',
  'object_with_rest',
  'record',
])

/** What a schema wants, in words: its own where it has some. */
export function wantOf(shape: Shape): string {
  if (typeof shape.message === 'string') return shape.message
  if (shape.wrapped !== undefined) return wantOf(shape.wrapped)
  const choices = choicesOf(shape)
  if (choices.length > 0) return listed(choices.map(choice => JSON.stringify(choice)))
  if (shape.type === 'union') return listed([...new Set(optionsOf(shape).map(wantOf))])
  if (isMappingShape(shape) || shape.type === 'variant') return 'a mapping'
  return WANTS[shape.type] ?? 'another value'
}

const WANTS: Readonly<Partial<Record<string, string>>> = {
  array: 'a list',
  bigint: 'a whole number',
  boolean: 'true or false',
  null: 'an empty value',
  number: 'a number',
  string: 'a string',
  tuple: 'a list',
  strict_tuple: 'a list',
  loose_tuple: 'a list',
}

/** The values that a schema takes, where it lists them. */
export function choicesOf(shape: Shape): readonly unknown[] {
  if (shape.type === 'picklist' || shape.type === 'enum') return shape.options ?? []
  if (shape.type === 'literal') return [shape.literal]
  return []
}

function optionsOf(shape: Shape): readonly Shape[] {
  return (shape.options ?? []) as readonly Shape[]
}

function below(shape: Shape, part: string | number): readonly Shape[] {
  if (shape.entries !== undefined && Object.hasOwn(shape.entries, part)) return [shape.entries[part] as Shape]
  if (shape.rest !== undefined) return [shape.rest]
  if (shape.items !== undefined) return [shape.items[part as number] ?? []].flat()
  if (shape.item !== undefined) return [shape.item]
  if (shape.type === 'record' && shape.value !== undefined) return [shape.value]
  return []
}

/** Whether a variant's option is the one for this input: each of its discriminators takes what is there. */
function isFor(option: Shape, key: string, input: unknown): boolean {
  if (option.type === 'variant') return optionsOf(option).some(each => isFor(each, key, input))
  const discriminator = option.entries?.[key]
  if (discriminator === undefined || !isMapping(input)) return false
  return v.safeParse(discriminator as unknown as v.GenericSchema, input[key]).success
}

function isSensitive(shape: Shape): boolean {
  if (shape.metadata?.['sensitive'] === true) return true
  if (shape.pipe?.some(each => each !== shape && isSensitive(each)) === true) return true
  if (shape.wrapped !== undefined) return isSensitive(shape.wrapped)
  return (shape.type === 'union' || shape.type === 'variant') && optionsOf(shape).some(isSensitive)
}
