import { parentPort, workerData } from 'node:worker_threads'
import { Float, Struct, Uint, type Value } from '../../../../lib/base/value.ts'
import { builtinNames } from '../../../../lib/template/builtins.ts'
import { standardFunctions, type Environment } from '../../../../lib/template/functions/standard.ts'
import { parseTemplate, TemplateError, type TemplateFunction } from '../../../../lib/template/template.ts'

/** What the worker is given. It says how far it is in `progress`, so that one that does not come back names the call. */
export interface Task {
  readonly progress: Int32Array
}

/** What the worker sends at its end. */
export interface Tally {
  readonly ended: Readonly<Record<'output' | 'execute' | 'bound', number>>
  /** The calls that took long, or ended with another error than one of the template. */
  readonly wrong: readonly string[]
}

/** What a call may take of the processor; most take some milliseconds. */
const CALL_MS_MAX = 2_500
/** How many calls of a function there are with each number of arguments. */
const CALLS = 4
const LENGTH = 32 * 1024
const ITEMS = 10_000

const texts: Readonly<Record<string, string>> = {
  letters: 'x'.repeat(LENGTH),
  words: 'aB '.repeat(LENGTH / 4),
  digits: '9'.repeat(LENGTH),
  bytes: '\udcff'.repeat(LENGTH),
  lines: '\n'.repeat(LENGTH),
  quotes: '"'.repeat(LENGTH),
  brackets: '['.repeat(LENGTH),
  commas: 'a,'.repeat(LENGTH / 2),
  verbs: '%d'.repeat(LENGTH / 4),
  width: '%1000000000d',
  backtracking: '(a+)+$',
  repetitions: '((((a{30}){30}){30}))',
  versions: '> 1 || '.repeat(LENGTH / 8),
  exponent: '1e999999999',
  duration: '9999999h',
  none: '',
}

const numbers: Readonly<Record<string, Value>> = {
  billion: 1e9,
  minus: -1e9,
  one: 1,
  zero: 0,
  least: -9_223_372_036_854_775_808n,
}

const floats: Readonly<Record<string, Value>> = {
  notANumber: new Float(NaN),
  infinite: new Float(Infinity),
  large: new Float(1e308),
}

const nested = Array.from({ length: 50_000 }).reduce<Value>(value => [value], [])
const endless = Array.from({ length: 60 }).reduce<Value>(value => [value, value], [1])
const make = (item: (i: number) => Value): Value => Array.from({ length: ITEMS }, (_, i) => item(i))

const lists: Readonly<Record<string, Value>> = {
  integers: make(i => i),
  names: make(i => `k${i}`),
  parts: make(i => new Float(i)),
  maps: make(i => new Map([['a', i]])),
  services: make(i => new Struct('*dependency.HealthService', new Map<string, Value>([['Port', i]]))),
  nested,
  endless,
  empty: [],
}

const maps: Readonly<Record<string, Value>> = {
  large: new Map(Array.from({ length: ITEMS }, (_, i) => [`k${i}`, i])),
  deep: Array.from({ length: 50_000 }).reduce<Value>(value => new Map([['a', value]]), new Map()),
  wide: Array.from({ length: 60 }).reduce<Value>(
    value =>
      new Map([
        ['a', value],
        ['b', value],
      ]),
    new Map(),
  ),
  long: new Map([['a/'.repeat(10_000), 'v']]),
}

const values: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  string: texts,
  int: numbers,
  float: floats,
  list: lists,
  map: maps,
  bool: { yes: true },
}
const all: Readonly<Record<string, Value>> = {
  ...texts,
  ...numbers,
  ...floats,
  ...lists,
  ...maps,
  ...maps,
  nothing: null,
  unsigned: new Uint(2n ** 64n - 1n),
}

const table = standardFunctions<Environment>()
const WORLD: Environment = { environment: {}, now: () => 0, networkAddresses: () => [] }
const { progress } = workerData as Task

function run(): Tally {
  const ended = { output: 0, execute: 0, bound: 0 }
  const wrong: string[] = []
  for (const [i, name] of callable().entries()) {
    Atomics.store(progress, 0, i)
    for (const args of argumentsOf(name)) {
      const before = process.cpuUsage()
      const end = endOf(name, args)
      const { user, system } = process.cpuUsage(before)
      const milliseconds = (user + system) / 1_000
      if (milliseconds > CALL_MS_MAX) wrong.push(`${shown(name, args)}: ${milliseconds} ms`)
      if (end === 'output' || end === 'execute' || end === 'bound') ended[end]++
      else wrong.push(`${shown(name, args)}: ${end}`)
    }
  }
  return { ended, wrong }
}

/** All functions that may be called, each under one of its names. */
function callable(): readonly string[] {
  const bare = (name: string) => name.slice('sprig_'.length)
  const own = [...table].filter(([name, each]) => {
    if (each.unavailable !== undefined) return false
    return !name.startsWith('sprig_') || table.get(bare(name))?.call !== each.call
  })
  return [...builtinNames, ...own.map(([name]) => name)]
}

/** Arguments of the kinds that a function wants, the same for every run. */
function argumentsOf(name: string): readonly (readonly Value[])[] {
  const { parameters, variadic } = table.get(name) ?? { parameters: [], variadic: 'any' }
  const further = variadic === undefined ? [0] : [0, 1, 2]
  return further.flatMap(count => {
    const kinds = [...parameters, ...Array.from({ length: count }, () => variadic ?? 'any')]
    return Array.from({ length: kinds.length === 0 ? 1 : CALLS * kinds.length }, (_, i) =>
      kinds.map((kind, place) => {
        const among = Object.values(values[kind] ?? all)
        return among[(i * 7 + place * (i % 5)) % among.length] as Value
      }),
    )
  })
}

function endOf(name: string, args: readonly Value[]): string {
  // Not from the dot, which is copied where a function changes maps.
  const given: TemplateFunction<Environment> = {
    name: 'given',
    signature: 'given PLACE',
    parameters: ['int'],
    call: (_, [place]) => args[Number(place)] ?? null,
  }
  const text = `{{$x := ${[name, ...args.map((_, i) => `(given ${i})`)].join(' ')}}}`
  try {
    parseTemplate({ name: 't', text, functions: new Map([...table, ['given', given]]) }).execute(null, WORLD)
    return 'output'
  } catch (error) {
    return error instanceof TemplateError ? error.code : String(error).slice(0, SHOWN_LENGTH)
  }
}

const SHOWN_LENGTH = 200

/** A call for people: the arguments by what they are called here. */
function shown(name: string, args: readonly Value[]): string {
  const known = new Map(Object.entries(all).map(([word, value]) => [value, word]))
  return [name, ...args.map(arg => known.get(arg) ?? '?')].join(' ')
}

parentPort?.postMessage(run())
