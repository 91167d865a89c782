import { listed } from '../base/listed.ts'
import { nearest } from '../base/nearest.ts'
import { Tree, type Value } from '../base/value.ts'
import { parseReference, type Reference } from '../dependency.ts'
import { OperationalError } from '../errors.ts'
import type { ProviderPlugin, Question } from '../provider.ts'
import { standardFunctions, type Environment } from '../template/functions/standard.ts'
import {
  pending,
  unavailableFunction,
  type FunctionTable,
  type Pending,
  type TemplateFunction,
  type Unavailable,
} from '../template/template.ts'
import { parseByExtension } from './parse.ts'
import type { Questioning } from './question.ts'

/** What a template function sees of the render that calls it. */
export interface RenderContext extends Environment {
  readonly questioning: Questioning
}

/** A configured provider, as far as templates can ask it. */
export interface Asker {
  readonly name: string
  readonly plugin: Pick<ProviderPlugin, 'type' | 'reference' | 'tree' | 'functions'>
  /** Whether the functions of its type ask this one, where several have the type. */
  readonly isDefault: boolean
}

/** Every function that templates have: the standard ones, `ref` and `data`, and those of the configured providers' types.
 *  @param types whose functions say that no provider of theirs is configured, where none is */
export function renderFunctions(
  askers: ReadonlyMap<string, Asker>,
  types: Iterable<Pick<ProviderPlugin, 'type' | 'functions'>> = [],
): FunctionTable<RenderContext> {
  const table = new Map<string, TemplateFunction<RenderContext>>(standardFunctions<RenderContext>())
  for (const own of [refFunction(askers), dataFunction(askers)]) table.set(own.name, own)
  const ofTypes = Map.groupBy(askers.values(), ({ plugin }) => plugin.type)
  for (const [type, ofType] of ofTypes) for (const own of functionsOf(type, ofType)) table.set(own.name, own)
  for (const { type, functions } of types) {
    if (ofTypes.has(type)) continue
    for (const own of unavailable(functions, noneOf(type))) if (!table.has(own.name)) table.set(own.name, own)
  }
  return table
}

/** The functions of a type, which ask its only provider, or the default one. */
function functionsOf(type: string, askers: readonly Asker[]): readonly TemplateFunction<RenderContext>[] {
  const asker = askers.find(({ isDefault }) => isDefault) ?? askers[0]
  if (asker === undefined) return []
  const { functions } = asker.plugin
  if (askers.length > 1 && !asker.isDefault) return unavailable(functions, noDefaultOf(type, askers))
  return Object.entries(functions).map(([name, question]) => providerFunction(name, asker, question))
}

function unavailable(functions: ProviderPlugin['functions'], why: Unavailable): readonly TemplateFunction<unknown>[] {
  return Object.keys(functions).map(name => unavailableFunction(name, why))
}

function noneOf(type: string): Unavailable {
  return {
    reason: `it asks a provider of type ${type}, and none is configured`,
    hint: `add one under providers:, with type: ${type}`,
  }
}

function noDefaultOf(type: string, askers: readonly Asker[]): Unavailable {
  const names = askers.map(({ name }) => name)
  return {
    reason: `it asks the default provider of type ${type}, and none of ${names.join(', ')} is that`,
    hint: 'say default: true at one of them; ref asks each by its name',
  }
}

function refFunction(askers: ReadonlyMap<string, Asker>): TemplateFunction<RenderContext> {
  return {
    name: 'ref',
    signature: 'ref "PROVIDER://PATH[#FIELD]"',
    parameters: ['string'],
    givesShared: true,
    call: ({ questioning }, [text]) => refer(askers, questioning, referenceIn(text as string)),
  }
}

function dataFunction(askers: ReadonlyMap<string, Asker>): TemplateFunction<RenderContext> {
  return {
    name: 'data',
    signature: 'data "PROVIDER://PATH[#FIELD]"',
    parameters: ['string'],
    givesShared: true,
    call({ questioning }, [text]) {
      return referParsed(askers, questioning, referenceIn(text as string))
    },
  }
}

function referenceIn(text: string): Reference {
  const reference = parseReference(text)
  // What it was given is not shown: it may come from a value, and where it does not, the error's context shows it.
  if (reference === undefined) throw new Error('want a reference such as "PROVIDER://PATH#FIELD"')
  return reference
}

/** What a provider has at a reference: a text as it is, a field of what is parsed. */
export function refer(
  askers: ReadonlyMap<string, Asker>,
  questioning: Questioning,
  reference: Reference,
  parse = parseByExtension,
): Value | Pending {
  const { name, plugin } = askerOf(askers, reference)
  const { path, field } = reference
  const isForQuestion = field !== undefined && plugin.reference.hasFields === true
  const answer = questioning.ask(plugin.reference, name, isForQuestion ? [path, field] : [path])
  if (answer instanceof Tree) {
    throw new Error(`${name}://${path} is a directory; put it under files: with tree: instead`)
  }
  if (field === undefined || isForQuestion || answer === pending) return answer
  const keys = field.split('.')
  questioning.took(keys)
  return fieldOf(parsed(questioning, path, answer, parse), keys)
}

/** What a provider has at a reference, a text parsed by its path's extension; a field is what it is. */
export function referParsed(
  askers: ReadonlyMap<string, Asker>,
  questioning: Questioning,
  reference: Reference,
  parse = parseByExtension,
): Value | Pending {
  const answer = refer(askers, questioning, reference, parse)
  return answer === pending || reference.field !== undefined
    ? answer
    : parsed(questioning, reference.path, answer, parse)
}

/** A text parsed by its path's extension; what is a structure already stays as it is. */
function parsed(questioning: Questioning, path: string, answer: Value, parse: typeof parseByExtension): Value {
  if (typeof answer !== 'string') return answer
  return questioning.made(`${parse.name} ${path}`, () => parse(path, answer))
}

/** The value at `a.b.c`. Throws an error whose hint is the nearest key there is; it shows no value. */
function fieldOf(value: Value, keys: readonly string[]): Value {
  const field = keys.join('.')
  let found = value
  for (const key of keys) {
    if (!(found instanceof Map)) throw new Error(`#${field}: there is no map that could have "${key}"`)
    const map = found as ReadonlyMap<string, Value>
    const next = map.get(key)
    if (next === undefined) {
      const near = nearest(key, map.keys())
      const hint = near === undefined ? OPTIONAL : `did you mean "${near}"?`
      throw new OperationalError('bad-field', `#${field}: there is no "${key}"`, { hint })
    }
    found = next
  }
  return found
}

const OPTIONAL = 'where the field may be absent, take all with data, and ask for it with get or dig'

/** The provider that a reference names; throws an Error for the template's author when there is none. */
export function askerOf(askers: ReadonlyMap<string, Asker>, { provider }: Reference): Asker {
  const asker = askers.get(provider)
  if (asker !== undefined) return asker
  const names = listed([...askers.keys()])
  throw new Error(`no provider is named "${provider}"; the configuration has ${names === '' ? 'none' : names}`)
}

function providerFunction(name: string, asker: Asker, question: Question): TemplateFunction<RenderContext> {
  return {
    name,
    signature: `${name} …  (asks the ${asker.plugin.type} provider)`,
    parameters: [],
    variadic: 'any',
    givesShared: true,
    call({ questioning }, args) {
      const answer = questioning.ask(question, asker.name, args)
      if (answer instanceof Tree) throw new Error(`${name} answers a directory; put it under files: with tree: instead`)
      return answer === pending ? pending : answer
    },
  }
}
