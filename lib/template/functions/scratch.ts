import type { Value } from '../../base/value.ts'
import { pending, type Executing, type Pending, type TemplateFunction } from '../function.ts'
import { Instance, type Method } from '../instance.ts'
import { isMap, sortedKeys } from '../operand.ts'
import { quote } from '../quote.ts'

/** What a template may note down while it is executed: each execution has its own, and forgets it. */
export const scratchFunctions: readonly TemplateFunction<unknown>[] = [
  {
    name: 'scratch',
    signature: 'scratch.Set KEY VALUE, scratch.Get KEY, …',
    parameters: [],
    // `MapSet` goes into whatever map `Set` was given.
    changesMaps: true,
    call: (_, _args, execution) => scratchOf(execution),
  },
]

/** What Go's type has beside methods, none of it for templates. */
const FIELDS = new Map([['values', null]])

/** Collected together with the executions. */
const scratches = new WeakMap<Executing, Instance>()

function scratchOf(execution: Executing): Instance {
  const known = scratches.get(execution)
  if (known !== undefined) return known
  const made = new Instance('*template.Scratch', new Scratch().methods, { fields: FIELDS })
  scratches.set(execution, made)
  return made
}

/** How many keys a scratch holds. */
const KEYS_MAX = 100_000

/** Values that are pending are held as well, so that no later step takes them for missing. */
class Scratch {
  readonly #values = new Map<string, Value | Pending>()
  /** Set once something was put under a key that is pending. */
  #isUncertain = false

  readonly methods: Readonly<Record<string, Method>> = {
    Key: this.#method(['string'], ([key]) => (this.#values.has(key as string) ? true : this.#missing(false))),
    Get: this.#method(['string'], ([key]) => this.#get(key as string)),
    Set: this.#method(['string', 'any'], ([key, value]) => this.#set(key as string, value as Value | Pending)),
    SetX: this.#method(['string', 'any'], ([key, value]) =>
      this.#values.has(key as string) ? '' : this.#set(key as string, value as Value | Pending),
    ),
    MapSet: this.#method(['string', 'string', 'any'], args => this.#mapSet(args, true)),
    MapSetX: this.#method(['string', 'string', 'any'], args => this.#mapSet(args, false)),
    MapValues: this.#method(['string'], ([key]) => this.#mapValues(key as string)),
  }

  #method(parameters: Method['parameters'], call: Method['call']): Method {
    return {
      parameters,
      takesPending: true,
      call: args => {
        if (args[0] !== pending) return call(args)
        if (args.length > 1) this.#isUncertain = true
        return pending
      },
    }
  }

  #missing(otherwise: Value): Value | Pending {
    return this.#isUncertain ? pending : otherwise
  }

  #get(key: string): Value | Pending {
    return this.#values.get(key) ?? (this.#values.has(key) ? null : this.#missing(null))
  }

  #set(key: string, value: Value | Pending): string {
    if (this.#values.size >= KEYS_MAX && !this.#values.has(key)) {
      throw new Error(`a scratch holds no more than ${KEYS_MAX} keys`)
    }
    this.#values.set(key, value)
    return ''
  }

  #mapSet([name, key, value]: readonly (Value | Pending)[], overwrites: boolean): Value | Pending {
    const present = this.#values.get(name as string)
    if (present === pending || key === pending || value === pending) {
      this.#set(name as string, pending)
      return pending
    }
    if (present !== undefined && !isMap(present)) throw new Error(`${quote(name as string)} is not a map`)
    const map = (present ?? new Map()) as Map<string, Value>
    if (present === undefined) this.#set(name as string, map)
    if (map.size >= KEYS_MAX && !map.has(key as string)) {
      throw new Error(`a map of a scratch holds no more than ${KEYS_MAX} keys`)
    }
    if (overwrites || !map.has(key as string)) map.set(key as string, value as Value)
    return ''
  }

  #mapValues(name: string): Value | Pending {
    const map = this.#get(name)
    if (map === pending) return pending
    return isMap(map) ? sortedKeys(map).map(key => map.get(key) as Value) : []
  }
}
