import { Struct, type Value } from '../base/value.ts'
import type { ParameterKind, Pending } from './function.ts'

/** A method of a Go type. Number and kinds of its arguments are checked as a function's are. */
export interface Method {
  readonly parameters: readonly ParameterKind[]
  readonly variadic?: ParameterKind
  /** Whether it is called even when arguments are pending: else it is not, and gives pending. @default false */
  readonly takesPending?: boolean
  /** Throws a plain Error whose message does not name the method. */
  call(args: readonly (Value | Pending)[]): Value | Pending
}

/** A value that templates know by its methods, beside or instead of fields: the scratch, a version, a time. */
export class Instance extends Struct {
  readonly methods: ReadonlyMap<string, Method>
  /** How it prints, Go's `String` method; undefined when it prints as its fields. */
  readonly text: (() => string) | undefined
  /** What it is in JSON, where that is not its fields. */
  readonly inJson: (() => string) | undefined

  constructor(
    typeName: string,
    methods: Readonly<Record<string, Method>>,
    options: {
      readonly fields?: ReadonlyMap<string, Value>
      readonly text?: () => string
      readonly inJson?: () => string
    } = {},
  ) {
    super(typeName, options.fields ?? new Map())
    this.methods = new Map(Object.entries(methods))
    this.text = options.text
    this.inJson = options.inJson
  }
}

/** How a struct is spelled in YAML and TOML where that is not its fields: as a text, or as it stands, which times need not quote. */
export function spellingOf(value: Struct): string | { readonly plain: string } | undefined {
  const text = value instanceof Instance ? value.inJson?.() : undefined
  return text !== undefined && value.typeName === 'time.Time' ? { plain: text } : text
}
