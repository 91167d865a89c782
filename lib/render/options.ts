import type { BundleOptions } from '../bundle.ts'
import type { Bounds, FunctionTable } from '../template/template.ts'
import type { Asker, RenderContext } from './functions.ts'

/** What a renderer is made of. */
export interface RendererOptions {
  readonly bundle: BundleOptions
  readonly functions: FunctionTable<RenderContext>
  readonly askers: ReadonlyMap<string, Asker>
  readonly environment: Readonly<Record<string, string>>
  /** Keys the digests; see `Contents.digest`. */
  readonly digestKey: Uint8Array
  /** Finds a user's or group's number by its name. */
  readonly owners: Owners
  readonly bounds?: Bounds
}

export interface Owners {
  /** Throws an OperationalError when there is no such user. */
  uid(name: string): number
  gid(name: string): number
}
