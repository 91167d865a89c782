import { OperationalError } from '../errors.ts'
import type { Publisher } from './publisher.ts'

/** Which bundle has which absolute path. Most that meet are found in the configuration; the outputs of `forEach` and of trees are
 *  known only when they are rendered, and two bundles would replace and remove each other's file for ever. */
export class Claims {
  readonly #bundles = new Map<string, string>()
  readonly #paths = new Map<string, ReadonlySet<string>>()

  /** Throws an OperationalError (`claimed`) when another bundle has one of these paths. */
  demand(bundle: string, paths: Iterable<string>): void {
    for (const path of paths) {
      const other = this.#bundles.get(path) ?? bundle
      if (other === bundle) continue
      const message = `${path}: is an output of the bundle "${other}", and would be one of "${bundle}"`
      throw new OperationalError('claimed', message, {
        hint: `give each output a path of its own; one that moves is published when "${other}" has given it up`,
      })
    }
  }

  /** Gives the bundle these paths, as far as no other has them, in place of those that it had. */
  set(bundle: string, paths: ReadonlySet<string>): void {
    for (const path of this.#paths.get(bundle) ?? []) {
      if (!paths.has(path) && this.#bundles.get(path) === bundle) this.#bundles.delete(path)
    }
    for (const path of paths) if (!this.#bundles.has(path)) this.#bundles.set(path, bundle)
    this.#paths.set(bundle, paths)
  }

  /** Gives it more. */
  add(bundle: string, paths: ReadonlySet<string>): void {
    this.set(bundle, (this.#paths.get(bundle) ?? new Set<string>()).union(paths))
  }
}

/** The publisher of a bundle that takes no path that another one has. A path is another's until that one has published without it. */
export function claiming(publisher: Publisher, bundle: string, claims: Claims): Publisher {
  // What is published is staged just before, but for what a crash has left.
  let staged: { readonly number: number; readonly paths: ReadonlySet<string> } | undefined
  const pathsOf = async (number: number) =>
    staged?.number === number ? staged.paths : new Set((await publisher.read(number)).map(({ path }) => path))
  const publish = async (number: number, work: () => Promise<void>) => {
    const paths = await pathsOf(number)
    claims.demand(bundle, paths)
    // What it had is its own until it is gone.
    claims.add(bundle, paths)
    await work()
    claims.set(bundle, paths)
  }
  return {
    ...publisher,
    async prepare() {
      await publisher.prepare()
      const number = await publisher.visible()
      if (number !== undefined) claims.add(bundle, await pathsOf(number))
    },
    async stage(number, files) {
      const paths = new Set(files.map(({ path }) => path))
      claims.demand(bundle, paths)
      const directory = await publisher.stage(number, files)
      staged = { number, paths }
      return directory
    },
    publish: number => publish(number, () => publisher.publish(number)),
    resume: number => publish(number, () => publisher.resume(number)),
  }
}
