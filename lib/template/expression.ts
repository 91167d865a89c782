import { byteLength } from '../base/text.ts'
import type { Value } from '../base/value.ts'
import { TemplateError } from './error.ts'
import {
  Execution,
  GO_ON,
  newVariables,
  type Bounds,
  type CompiledTemplate,
  type Evaluate,
  type Source,
} from './execution.ts'
import type { Pending } from './function.ts'
import { plain, type Instrument } from './instrument.ts'
import type { ActionNode, StatementNode } from './nodes.ts'
import type { TemplateSet } from './parser.ts'
import { PipelineCompiler } from './pipeline.ts'
import { Scope } from './scope.ts'
import { parseSet, within, type ParseOptions, type TemplateOptions } from './template.ts'

/** A pipeline that is asked for its value instead of its text. */
export interface Expression<Context> {
  /** The value; nil where there is none. Throws as a template's `execute` does. */
  evaluate(context: Context, bounds?: Bounds): Value | Pending
}

/** Parses a text that is one action, `{{ data "local://hosts.yaml" }}`, and nothing else but space around it and comments. Throws
 *  a `TemplateError` of code `parse` or `bound`. */
export function parseExpression<Context>(options: TemplateOptions<Context>): Expression<Context> {
  const compiled = compileExpression(options, () => plain)
  const { source, main } = compiled
  return {
    evaluate: (context, bounds = {}) => evaluateWithin(new Execution(source, main, context, bounds), compiled),
  }
}

export interface CompiledExpression {
  readonly source: Source
  /** What has its variables. */
  readonly main: CompiledTemplate
  readonly pipeline: Evaluate
}

/** Parses and compiles the one action of a text; `instrument` is given what it is made of. */
export function compileExpression(
  options: ParseOptions,
  instrument: (set: TemplateSet) => Instrument,
): CompiledExpression {
  const { name, text, functions, missingKey = 'error', showValues = false } = options
  const { set, changesMaps } = parseSet(options)
  const { pipe } = onlyAction(set, options)
  const scope = new Scope()
  const pipeline = new PipelineCompiler(scope, functions, instrument(set)).compile(pipe)
  const main: CompiledTemplate = { name, body: () => GO_ON, slots: scope.slots }
  return { source: { name, text, templates: new Map(), missingKey, showValues, changesMaps }, main, pipeline }
}

/** Evaluates an expression, and gives its value. */
export function evaluateWithin(run: Execution, { main, pipeline }: CompiledExpression): Value | Pending {
  run.variables = newVariables(main, undefined)
  return within(run, () => pipeline(run, undefined) ?? null) as Value | Pending
}

/** The one action that a text consists of. */
function onlyAction(set: TemplateSet, { name, text }: ParseOptions): ActionNode {
  const fail = (message: string, at: number): never => {
    const before = text.slice(0, at).split('\n')
    const place = { template: name, line: before.length, column: byteLength(before.at(-1) ?? '') }
    throw new TemplateError('parse', `template: ${name}:${place.line}: ${message}`, place, { hint: HINT })
  }
  const [defined] = [...set.keys()].filter(each => each !== name)
  if (defined !== undefined) return fail('want one action and no other template, got a define or block', 0)
  const nodes = (set.get(name)?.nodes ?? []).filter(node => node.kind !== 'text' || node.text.trim() !== '')
  const [node, second] = nodes
  if (node === undefined) return fail('want one action, got none', 0)
  if (node.kind !== 'action') return fail(`want one action, got ${KINDS[node.kind]}`, node.at)
  if (node.pipe.variables.length > 0) return fail('want one action with a value, got one that sets a variable', node.at)
  if (second !== undefined) return fail(`want one action, got ${KINDS[second.kind]} after it`, second.at)
  return node
}

const HINT = 'it is evaluated to a value, not to a text: one action such as {{ data "PROVIDER://PATH" }}'

const KINDS: Readonly<Record<StatementNode['kind'], string>> = {
  action: 'a second one',
  break: 'a break',
  continue: 'a continue',
  if: 'an if',
  range: 'a range',
  template: 'a call of a template',
  text: 'text',
  with: 'a with',
}
