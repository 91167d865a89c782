import type { Problem } from '../outcome.ts'

/** Which bundle has an absolute path among its outputs. Most meet in the configuration already; those that `forEach` makes only a
 *  render knows. Without this, two bundles would replace each other's file for ever. */
export class Claims {
  readonly #bundles = new Map<string, string>()
  readonly #paths = new Map<string, ReadonlySet<string>>()

  /** Claims the paths of a bundle in place of those that it had; none of them where another bundle has one. */
  claim(bundle: string, paths: Iterable<string>): Problem | undefined {
    const wanted = new Set(paths)
    for (const path of wanted) {
      const other = this.#bundles.get(path) ?? bundle
      if (other === bundle) continue
      const message = `${JSON.stringify(path)} is an output of the bundle "${other}" already, and would be one of "${bundle}"`
      return { message, hint: 'give each output a path of its own' }
    }
    for (const path of this.#paths.get(bundle) ?? []) if (!wanted.has(path)) this.#bundles.delete(path)
    for (const path of wanted) this.#bundles.set(path, bundle)
    this.#paths.set(bundle, wanted)
    return undefined
  }
}
