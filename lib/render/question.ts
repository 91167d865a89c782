import { sameValue, Struct, Tree, type Value } from '../base/value.ts'
import { dependencyId, type Dependency, type DependencyId } from '../dependency.ts'
import type { Question } from '../provider.ts'
import { absent, type Reading } from '../reading.ts'
import { pending, type Pending } from '../template/template.ts'

/** The newest readings, as one render sees them. A render runs in one turn of the event loop, so nothing can move under it. */
export interface View {
  get(dependency: Dependency): Reading | undefined
}

/** Records what one render unit asked and was answered, so that its result can be kept for as long as the answers are the same. */
export class Questioning {
  readonly #view: View
  readonly #asked: Asked[] = []
  /** How many steps the templates took that asked. */
  steps = 0

  constructor(view: View) {
    this.#view = view
  }

  /** The answer from the view, or `pending` when there is no reading to take it from. */
  ask(question: Question, provider: string, args: readonly Value[]): Value | Tree | Pending {
    const dependency = question.ask(provider, args)
    const reading = this.#view.get(dependency)
    const asked: Asked = { question, args, dependency, reading, answer: undefined }
    // Noted before it is answered: a reading that cannot be answered from is what has to change.
    this.#asked.push(asked)
    return (asked.answer = answerFrom(question, reading, args))
  }

  /** Says that of the last answer only the field at these keys is taken. Nobody wants to know that, unless to explain the result. */
  took(_keys: readonly string[]): void {}

  /** What is made of the last answer: once for each reading, however many ask.
   *  @param how what tells it from everything else that is made of such a reading */
  made(how: string, make: () => Value): Value {
    const reading = this.#asked.at(-1)?.reading
    if (reading === undefined) return make()
    const known = madeOf.get(reading) ?? new Map<string, Value>()
    madeOf.set(reading, known)
    const value = known.get(how) ?? make()
    known.set(how, value)
    return value
  }

  /** How many of the questions had an answer that is sensitive. */
  get sensitive(): number {
    return this.#asked.filter(({ reading }) => reading?.sensitive === true).length
  }

  /** The texts in those answers, without the space around them, but for those that are names of fields there, too. */
  get sensitiveTexts(): ReadonlySet<string> {
    const texts = new Set<string>()
    const names = new Set<string>()
    for (const { reading, answer } of this.#asked) if (reading?.sensitive === true) addTexts(answer, texts, names)
    return texts.difference(names)
  }

  /** Another one that is answered alike, of which nobody needs to know. */
  aside(): Questioning {
    return new Questioning(this.#view)
  }

  get answers(): Answers {
    return new Answers(this.#asked)
  }
}

/** They go with their reading. */
const madeOf = new WeakMap<Reading, Map<string, Value>>()

interface Asked {
  readonly question: Question
  readonly args: readonly Value[]
  readonly dependency: Dependency
  reading: Reading | undefined
  /** Undefined when there was none: taking it failed. */
  answer: Value | Tree | Pending | undefined
}

/** What a render unit was answered. */
export class Answers {
  readonly #asked: readonly Asked[]
  /** Everything that was asked for. */
  readonly wanted: ReadonlyMap<DependencyId, Dependency>
  /** What was asked for and is not there. */
  readonly missing: ReadonlyMap<DependencyId, Dependency>

  constructor(asked: readonly Asked[], alsoWanted: ReadonlyMap<DependencyId, Dependency> = new Map()) {
    this.#asked = asked
    this.wanted = new Map([...alsoWanted, ...asked.map(askedFor)])
    this.missing = new Map(asked.filter(({ answer }) => answer === pending).map(askedFor))
  }

  /** These answers, and more that stays wanted. */
  alsoWanting(more: ReadonlyMap<DependencyId, Dependency>): Answers {
    return new Answers(this.#asked, more)
  }

  /** Whether the same is wanted and missing as by others. */
  asksAs(others: Answers): boolean {
    return sameKeys(this.wanted, others.wanted) && sameKeys(this.missing, others.missing)
  }

  /** Whether the same questions get the same answers from this view. A reading that changed elsewhere (another file of the
   *  same tree) does not count, so what did not ask for the changed part is not rendered again. */
  stillTrue(view: View): boolean {
    return this.#asked.every(asked => {
      const reading = view.get(asked.dependency)
      if (reading === asked.reading) return true
      if (!sameAnswer(asked.answer, tryAnswer(asked.question, reading, asked.args))) return false
      asked.reading = reading
      return true
    })
  }
}

function addTexts(answer: Asked['answer'], texts: Set<string>, names: Set<string>): void {
  if (typeof answer === 'string') texts.add(answer).add(answer.trim())
  else if (Array.isArray(answer)) for (const item of answer as readonly Value[]) addTexts(item, texts, names)
  else if (answer instanceof Struct || answer instanceof Map) {
    for (const [name, item] of answer instanceof Struct ? answer.fields : (answer as ReadonlyMap<string, Value>)) {
      names.add(name)
      addTexts(item, texts, names)
    }
  }
}

function sameKeys(a: ReadonlyMap<DependencyId, unknown>, b: ReadonlyMap<DependencyId, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every(id => b.has(id))
}

function askedFor({ dependency }: Asked): [DependencyId, Dependency] {
  return [dependencyId(dependency), dependency]
}

function answerFrom(question: Question, reading: Reading | undefined, args: readonly Value[]): Value | Tree | Pending {
  if (reading === undefined) return pending
  if (reading.value === absent && question.answersAbsent !== true) return pending
  return question.answer(reading, args)
}

/** The answer, or undefined when taking it fails: then the unit must run again to say so in its own words. */
function tryAnswer(question: Question, reading: Reading | undefined, args: readonly Value[]) {
  try {
    return answerFrom(question, reading, args)
  } catch {
    return undefined
  }
}

function sameAnswer(a: Value | Tree | Pending | undefined, b: Value | Tree | Pending | undefined): boolean {
  // What failed runs again, to succeed or to say why it fails now.
  if (a === undefined || b === undefined) return false
  if (a === b) return true
  if (a === pending || b === pending) return false
  if (a instanceof Tree || b instanceof Tree) return a instanceof Tree && b instanceof Tree && sameFiles(a, b)
  return sameValue(a, b)
}

function sameFiles(a: Tree, b: Tree): boolean {
  return a.files.size === b.files.size && [...a.files].every(([path, file]) => b.files.get(path) === file)
}
