import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBytes } from '../../../lib/base/text.ts'
import { toValue, type Value } from '../../../lib/base/value.ts'
import { standardFunctions } from '../../../lib/template/functions/standard.ts'
import { parseTemplate, type TemplateFunction } from '../../../lib/template/template.ts'
import {
  traceTemplate,
  type Origin,
  type Segment,
  type Traced,
  type TracedTemplate,
} from '../../../lib/template/trace/template.ts'
import { INPUTS, TEMPLATE, type Answer } from './random-template.ts'

type Answers = Readonly<Record<string, Answer>>
interface Context {
  readonly answers: ReadonlyMap<string, Value>
  readonly asked: Origin[]
  readonly environment: Readonly<Record<string, string>>
  readonly now: () => number
  readonly networkAddresses: () => []
}

const functions = new Map<string, TemplateFunction<Context>>(standardFunctions<Context>())
functions.set('data', {
  name: 'data',
  signature: 'data NAME',
  parameters: ['string'],
  givesShared: true,
  call: (context, [name]) => ask(context, name as string, []),
})
functions.set('ref', {
  name: 'ref',
  signature: 'ref NAME#FIELD',
  parameters: ['string'],
  givesShared: true,
  call(context, [reference]) {
    const [name = '', field = ''] = (reference as string).split('#')
    return ask(context, name, field.split('.'))
  },
})

function ask({ answers, asked }: Context, token: string, path: readonly string[]): Value {
  asked.push({ token, path })
  return path.reduce(
    (value, key) => (value as ReadonlyMap<string, Value>).get(key) as Value,
    answers.get(token) as Value,
  )
}

function contextOf(answers: Answers): Context {
  const values = new Map(Object.entries(answers).map(([name, answer]) => [name, toValue(answer)]))
  return { answers: values, asked: [], environment: {}, now: () => 0, networkAddresses: () => [] }
}

const options = (text: string) => ({ name: 't', text, functions, missingKey: 'default' as const })

function trace(template: TracedTemplate<Context>, answers: Answers): Traced {
  const context = contextOf(answers)
  return template.trace(null, context, { taken: () => context.asked.splice(0) })
}

/** What is written in segments that do not name an input: where it comes from in the template, and the bytes. */
function independent(output: string, segments: readonly Segment[], input: Origin): readonly string[] {
  const bytes = toBytes(output)
  let end = 0
  return segments.flatMap(segment => {
    end += segment.bytes
    const names = [...segment.from, ...segment.under].some(origin => overlaps(origin, input))
    return names ? [] : [`${segment.at} ${Buffer.from(bytes.subarray(end - segment.bytes, end)).toString('utf8')}`]
  })
}

function overlaps(a: Origin, b: Origin): boolean {
  return a.token === b.token && a.path.slice(0, b.path.length).every((key, i) => key === b.path[i])
}

const RUNS = 200

describe('tracing', () => {
  test('covers every byte of what the template gives anyway, once, and changes of an input only bytes that name it', () => {
    let changes = 0
    let untouched = 0
    fc.assert(
      fc.property(TEMPLATE, INPUTS, (text, { before, after, changed }) => {
        const [template, plain] = [traceTemplate(options(text)), parseTemplate(options(text))]
        const [one, other] = [trace(template, before), trace(template, after)]

        for (const [traced, answers] of [
          [one, before],
          [other, after],
        ] as const) {
          expect(traced.output).toBe(plain.execute(null, contextOf(answers)))
          expect(sum(traced.segments)).toBe(toBytes(traced.output).length)
          expect(traced.segments.every(({ bytes }) => bytes > 0)).toBe(true)
        }
        const stays = independent(one.output, one.segments, changed)
        expect(independent(other.output, other.segments, changed)).toEqual(stays)
        if (one.output !== other.output) changes++
        untouched += stays.length
      }),
      { numRuns: RUNS },
    )
    // Else it has shown nothing.
    expect(changes).toBeGreaterThan(RUNS / 20)
    expect(untouched).toBeGreaterThan(RUNS)
  }, 60_000)
})

function sum(segments: readonly Segment[]): number {
  return segments.reduce((total, { bytes }) => total + bytes, 0)
}
