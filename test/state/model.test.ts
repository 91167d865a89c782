import { expect, test } from 'vitest'
import { recover, type Entry, type Recovery } from '../../lib/state/recover.ts'

// The publish protocol with everything left out but its order: a journal, what is visible, what lies there, what was heard.
// It dies at any two steps, thousands of times; test/crash/publish.test.ts does the same, slower, with the real parts.
//   volume: the flip is the commit point; what was staged and not flipped to is dropped.
//   files:  the journal's intent is the commit point; an unfinished publish is run again from the staged copies.

class Crash extends Error {}

const HOOKS = ['hup', 'http']
const PATHS = ['app.conf', 'db.conf']
const BOOTS_MAX = 50

class Model {
  readonly mode: 'volume' | 'files'
  readonly bad: (content: string) => boolean
  readonly journal: Entry[] = []
  readonly kept = new Map<number, string>()
  /** Files mode: what each path holds. */
  readonly files = new Map<string, string>()
  readonly told = new Map<string, number>()
  visible: number | undefined
  readonly #crashes: number[]
  #step = 0

  constructor(mode: 'volume' | 'files', bad: (content: string) => boolean, crashes: readonly number[]) {
    this.mode = mode
    this.bad = bad
    this.#crashes = [...crashes]
  }

  run(contents: readonly string[]): void {
    let published = 0
    for (let boots = 1; ; boots++) {
      if (boots > BOOTS_MAX) throw new Error('it never ends')
      try {
        this.#boot()
        for (; published < contents.length; published++) {
          const content = contents[published] as string
          const { digest, condemnedDigests } = this.recovery()
          if (digest !== content && !condemnedDigests.has(content)) this.#publishAs(content)
        }
        return
      } catch (error) {
        if (!(error instanceof Crash)) throw error
      }
    }
  }

  recovery(): Recovery {
    return recover(this.journal, this.visible, [...this.kept.keys()])
  }

  #tick(): void {
    if (++this.#step !== this.#crashes[0]) return
    this.#step = 0
    this.#crashes.shift()
    throw new Crash()
  }

  #append(entry: Entry): void {
    this.#tick()
    this.journal.push(entry)
    this.#tick()
  }

  #boot(): void {
    const { unfinished } = this.recovery()
    if (unfinished !== undefined && this.mode === 'files') this.#makeVisible(unfinished)
    if (unfinished !== undefined && this.mode === 'volume') this.kept.delete(unfinished)
    if (this.visible === undefined) return
    if (this.recovery().condemned !== undefined) return this.#rollBack()
    this.#tellOwed()
    if (!this.recovery().confirmed) this.#probation()
  }

  #publishAs(content: string, restores?: number): void {
    const generation = this.recovery().nextNumber
    this.#tick()
    this.kept.set(generation, content)
    const intent = { kind: 'intended', generation, digest: content, hooks: HOOKS, changed: [] } as const
    this.#append(restores === undefined ? intent : { ...intent, restores })
    this.#makeVisible(generation)
    this.#tellOwed()
    this.#probation()
  }

  #makeVisible(generation: number): void {
    for (const path of this.mode === 'files' ? PATHS : []) {
      this.#tick()
      this.files.set(path, this.kept.get(generation) as string)
    }
    this.#tick()
    this.visible = generation
    this.#tick()
  }

  #tellOwed(): void {
    const visible = this.visible as number
    for (const hook of this.recovery().owed) {
      this.#tick()
      this.told.set(hook, visible)
      this.#append({ kind: 'delivered', generation: visible, hook })
    }
  }

  #probation(): void {
    const generation = this.visible as number
    const digest = this.kept.get(generation) as string
    this.#tick()
    if (!this.bad(digest)) return this.#append({ kind: 'confirmed', generation })
    this.#append({ kind: 'condemned', generation, digest, why: 'probe' })
    this.#rollBack()
  }

  #rollBack(): void {
    const { lastConfirmed } = this.recovery()
    if (lastConfirmed !== undefined) this.#publishAs(this.kept.get(lastConfirmed) as string, lastConfirmed)
  }
}

test.each([
  ['volume', 'nothing', ''],
  ['volume', 'the second', 'B'],
  ['volume', 'the last', 'C'],
  ['files', 'nothing', ''],
  ['files', 'the second', 'B'],
  ['files', 'the last', 'C'],
] as const)('the protocol in mode %s, where %s is taken badly, survives any two crashes', (mode, _, bad) => {
  const problems: string[] = []
  for (let first = 0; first < 90; first++) {
    for (let second = 0; second < 60; second++) {
      const model = new Model(mode, content => content === bad, [first, second])

      model.run(['A', 'B', 'C'])

      problems.push(...problemsOf(model, bad === 'C' ? 'B' : 'C').map(problem => `${first}, ${second}: ${problem}`))
    }
  }
  expect(problems).toEqual([])
})

function problemsOf(model: Model, want: string): readonly string[] {
  const { visible, kept, files, told, journal } = model
  const shown = kept.get(visible as number)
  const numbers = journal.flatMap(entry => (entry.kind === 'intended' ? [entry.generation] : []))
  const { owed, confirmed } = model.recovery()
  return [
    shown === want ? [] : `it shows ${shown}`,
    [...files.values()].every(content => content === want) ? [] : 'a file holds something else',
    HOOKS.every(hook => told.get(hook) === visible) ? [] : 'a hook was not told',
    numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number)) ? [] : `the numbers are ${numbers}`,
    owed.length === 0 && confirmed ? [] : 'something is left to do',
  ].flat()
}
