import type { BundleOptions } from '../bundle.ts'
import type { Environment } from '../template/functions/standard.ts'
import type { parseExpression } from '../template/expression.ts'
import type { Bounds, FunctionTable, parseTemplate } from '../template/template.ts'
import type { Asker, RenderContext } from './functions.ts'

/** What a renderer is made of. */
export interface RendererOptions extends Environment {
  readonly bundle: BundleOptions
  readonly functions: FunctionTable<RenderContext>
  readonly askers: ReadonlyMap<string, Asker>
  /** Keys the digests; see `Contents.digest`. */
  readonly digestKey: Uint8Array
  /** Finds a user's or group's number by its name. */
  readonly owners: Owners
  readonly bounds?: Bounds
  /** Makes the templates. @default parseTemplate */
  readonly parse?: typeof parseTemplate<RenderContext>
  /** Makes what `forEach` goes by. @default parseExpression */
  readonly parseList?: typeof parseExpression<RenderContext>
}

/** The bounds of an execution whose steps its questioning shall know. */
export function countedBounds(bounds: Bounds | undefined, { questioning }: RenderContext): Bounds {
  return { ...bounds, count: steps => void (questioning.steps += steps) }
}

export interface Owners {
  /** Throws an OperationalError when there is no such user. */
  uid(name: string): number
  gid(name: string): number
}
