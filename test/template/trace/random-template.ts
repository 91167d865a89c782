import * as fc from 'fast-check'

// Templates that execute, whatever their inputs hold: each expression has a known shape. There are the inputs `a` and `b`, maps as
// `ANSWER` makes them; `$s` and `$t` are strings, `$m` is such a map, `$d` is a map with the key `k` and `$c` is a channel.

/** An input: what `data "NAME"` gives. No list in it is empty, so that its first element can be asked for. */
export interface Answer {
  readonly x: string
  readonly y: string
  readonly list: readonly string[]
  readonly sub: { readonly x: string; readonly y: string }
}

const WORD = fc.constantFrom('', 'p', 'q', 'é', 'rr')
const ANSWER = fc.record<Answer>({
  x: WORD,
  y: WORD,
  list: fc.array(WORD, { minLength: 1, maxLength: 3 }),
  sub: fc.record({ x: WORD, y: WORD }),
})

/** Two inputs, and one of them as it is after one field of it has changed, or all of it. */
export const INPUTS = fc
  .record({
    answers: fc.record({ a: ANSWER, b: ANSWER }),
    name: fc.constantFrom('a' as const, 'b' as const),
    path: fc.constantFrom<readonly string[]>(
      [],
      ['x'],
      ['y'],
      ['list'],
      ['list', '0'],
      ['sub'],
      ['sub', 'x'],
      ['sub', 'y'],
    ),
    other: ANSWER,
  })
  .map(({ answers, name, path, other }) => ({
    before: answers,
    after: { ...answers, [name]: withField(answers[name], path, other) },
    changed: { token: name, path },
  }))

function withField(answer: Answer, [field, below]: readonly string[], other: Answer): Answer {
  switch (field) {
    case undefined:
      return other
    case 'x':
    case 'y':
      return { ...answer, [field]: other[field] }
    case 'list':
      return { ...answer, list: below === undefined ? other.list : [other.list[0] as string, ...answer.list.slice(1)] }
    default:
      return { ...answer, sub: below === undefined ? other.sub : { ...answer.sub, [below]: other.sub[below as 'x'] } }
  }
}

/** Where a piece of a template stands. */
interface Place {
  readonly dot: 'map' | 'string' | 'none'
  readonly isInRange: boolean
  /** Whether it may call what `define` defines. */
  readonly isMain: boolean
  /** Whether it may change maps, the scratch and channels. */
  readonly changes: boolean
}

type Make = (place: Place, depth: number) => fc.Arbitrary<string>

/** What is made for the same place is the same, or there would be no end of it. */
function remembering(make: Make): Make {
  const made = new Map<string, fc.Arbitrary<string>>()
  return (place, depth) => {
    const key = JSON.stringify([place, depth])
    const known = made.get(key) ?? make(place, depth)
    made.set(key, known)
    return known
  }
}

/** A piece of text with parts in it. */
function piece(strings: TemplateStringsArray, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map(texts => String.raw({ raw: strings.raw }, ...texts))
}

const literal = fc.constantFrom('"p"', '""', '"q"')
const stringVariable = fc.constantFrom('$s', '$t')

/** Texts are numbered afterwards, so that each place of a template writes its own. */
const text = fc.constant('~')

const map: Make = remembering(({ dot }) =>
  fc.constantFrom('(data "a")', '(data "b")', '$m', ...(dot === 'map' ? ['.'] : [])),
)

const field: Make = remembering(({ dot }) =>
  fc
    .tuple(
      fc.constantFrom('(data "a")', '(data "b")', '$m', ...(dot === 'map' ? [''] : [])),
      fc.constantFrom('x', 'y', 'sub.x', 'sub.y'),
    )
    .map(([receiver, path]) => `${receiver}.${path}`),
)

const list: Make = remembering(({ dot }) => partOfMap('list', dot))
const sub: Make = remembering(({ dot }) => partOfMap('sub', dot))

function partOfMap(name: string, dot: Place['dot']): fc.Arbitrary<string> {
  return fc.constantFrom(
    `(data "a").${name}`,
    `(data "b").${name}`,
    `$m.${name}`,
    ...(dot === 'map' ? [`.${name}`] : []),
  )
}

const string: Make = remembering((place, depth) => {
  const simple: fc.Arbitrary<string>[] = [
    literal,
    stringVariable,
    field(place, 0),
    fc.constantFrom('(ref "a#x")', '(ref "b#y")', '(ref "a#sub.x")'),
    piece`(index ${map(place, 0)} "y")`,
    piece`(index ${map(place, 0)} "sub" "x")`,
    piece`(index ${list(place, 0)} 0)`,
    piece`(len ${list(place, 0)} | print)`,
    ...(place.dot === 'string' ? [fc.constant('.')] : []),
    ...(place.changes
      ? [fc.constant('$d.k'), fc.constant('(scratch.Get "k" | print)'), fc.constant('(len $d | print)')]
      : []),
  ]
  if (depth === 0) return fc.oneof(...simple)
  const [one, two] = [string(place, depth - 1), condition(place, depth - 1)]
  return fc.oneof(
    ...simple,
    piece`(print ${one} ${one})`,
    piece`(printf "%s-%v" ${one} ${two})`,
    piece`(${one} | printf "%s!" | toUpper)`,
    piece`(and ${two} ${one} | print)`,
    piece`(or ${one} ${one})`,
    piece`(and ${two} (${stringVariable} = ${one}) | print)`,
    piece`(index (dict "k" ${one}) "k")`,
    piece`(toJSON ${map(place, 0)})`,
    ...(place.isMain
      ? [piece`(executeTemplate "onMap" ${map(place, 0)})`, piece`(${one} | executeTemplate "onString")`]
      : []),
    ...(place.changes ? [piece`(and ${two} (set $d "k" ${one}) | toJSON)`] : []),
  )
})

const condition: Make = remembering((place, depth) => {
  const simple = [string(place, 0), list(place, 0)]
  if (depth === 0) return fc.oneof(...simple)
  const [one, two] = [string(place, depth - 1), condition(place, depth - 1)]
  return fc.oneof(
    ...simple,
    piece`(eq ${one} ${one})`,
    piece`(not ${two})`,
    piece`(and ${two} ${two})`,
    piece`(or ${two} ${two})`,
  )
})

const statement: Make = remembering((place, depth) => {
  const value = string(place, 1)
  const simple: fc.Arbitrary<string>[] = [
    text,
    piece`{{${value}}}`,
    piece`{{${stringVariable} = ${value}}}`,
    piece`{{${stringVariable} := ${value}}}`,
    piece`{{$m = ${map(place, 0)}}}`,
    ...(place.isInRange ? [fc.constant('{{break}}'), fc.constant('{{continue}}')] : []),
    ...(place.changes ? changes(place) : []),
    ...(place.isMain ? [piece`{{template "onMap" ${map(place, 0)}}}`, piece`{{template "onString" ${value}}}`] : []),
  ]
  if (depth === 0) return fc.oneof(...simple)
  const inner = statements(place, depth - 1)
  const onString = statements({ ...place, dot: 'string' }, depth - 1)
  const onMap = statements({ ...place, dot: 'map' }, depth - 1)
  const turn = statements({ ...place, dot: 'string', isInRange: true }, depth - 1)
  const [when, items] = [condition(place, 1), list(place, 0)]
  return fc.oneof(
    ...simple,
    piece`{{if ${when}}}${inner}{{end}}`,
    piece`{{if ${when}}}${inner}{{else}}${inner}{{end}}`,
    piece`{{if ${when}}}${inner}{{else if ${when}}}${inner}{{else}}${inner}{{end}}`,
    piece`{{with ${value}}}${onString}{{else}}${inner}{{end}}`,
    piece`{{with $t := ${value}}}${onString}{{end}}`,
    piece`{{with ${map(place, 0)}}}${onMap}{{end}}`,
    piece`{{range ${items}}}${turn}{{else}}${inner}{{end}}`,
    piece`{{range $t := ${items}}}${turn}{{end}}`,
    piece`{{range $s = ${items}}}${turn}{{end}}{{$s = print $s}}`,
    piece`{{range $i, $t := ${items}}}${turn}{{$i}}{{end}}`,
    piece`{{range $k, $v := ${sub(place, 0)}}}${turn}{{$k}}{{$v}}{{end}}`,
    ...(place.changes ? [piece`{{range $c}}${statements({ ...place, dot: 'none', isInRange: true }, 0)}{{end}}`] : []),
  )
})

function changes(place: Place): readonly fc.Arbitrary<string>[] {
  const value = string(place, 1)
  return [
    piece`{{$u := set $d "k" ${value}}}`,
    piece`{{$u := merge $d (dict ${fc.constantFrom('"k"', '"l"')} ${value})}}`,
    piece`{{$u := unset $d "l"}}`,
    piece`{{$u := set $m "x" ${value}}}`,
    piece`{{scratch.Set "k" ${value}}}`,
    piece`{{scratch.SetX "k" ${value}}}`,
    piece`{{$c = loop 2}}`,
  ]
}

const statements: Make = remembering((place, depth) =>
  fc.array(statement(place, depth), { minLength: 1, maxLength: 3 }).map(all => all.join('')),
)

const VARIABLES = '{{$s := ""}}{{$t := "t"}}{{$m := data "a"}}'
/** Shows at the end what came of the variables. */
const END = '{{$s}}{{$t}}{{$m.x}}'
const CHANGEABLE_END = '{{$d.k}}{{len $d}}{{scratch.Get "k" | print}}{{range $c}}c{{end}}'
const CHANGEABLE = '{{$d := dict "k" "" "l" "l"}}{{$c := loop 2}}'

/** The text of a template. Half of them change nothing that lives on. */
export const TEMPLATE: fc.Arbitrary<string> = fc.boolean().chain(changes => {
  const [begin, end] = changes ? [VARIABLES + CHANGEABLE, END + CHANGEABLE_END] : [VARIABLES, END]
  const place = { isInRange: false, isMain: false, changes }
  const onMap = statements({ ...place, dot: 'map' }, 1)
  const onString = statements({ ...place, dot: 'string' }, 1)
  const main = fc.array(statement({ ...place, dot: 'none', isMain: true }, 2), { minLength: 1, maxLength: 6 })
  return fc.tuple(onMap, onString, main).map(([first, second, all]) => {
    const definitions = `{{define "onMap"}}${begin}${first}${end}{{end}}{{define "onString"}}${begin}${second}${end}{{end}}`
    let count = 0
    return (definitions + begin + all.join('') + end).replaceAll('~', () => `<${count++}>`)
  })
})
