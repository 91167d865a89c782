import type { Path } from './finding.ts'

/** What is known around bundles while they are looked at. */
export interface BundleWorld {
  /** Where relative paths start. */
  readonly directory: string
  /** The providers by name, as far as they are known: whether each has trees, and its type. */
  readonly providers: ReadonlyMap<string, { readonly type: string; readonly hasTrees: boolean } | undefined>
  readFile(path: string): Promise<Uint8Array>
  /** Line of a place in the configuration, for findings that are about two places. */
  readonly lineOf: (path: Path) => number
}
