import type { Publisher } from '../publish/publisher.ts'
import type { Recovery } from '../state/recover.ts'

/** A publish that was begun and cannot be finished, at absolute paths: some files are of it, and some are not. */
export interface Stuck {
  readonly digest: string | undefined
  /** The paths that it may have changed already. */
  readonly changed: readonly string[]
  readonly error: unknown
}

/** Finishes the publish that a crash or a failure cut off. One that cannot be finished (we may not write one of its paths) is
 *  given back: newer contents can still be published over it.
 *  @param recovery what the journal says while a generation is visible */
export async function finishPublish(
  publisher: Publisher,
  recovery: (visible: number | undefined) => Promise<Recovery>,
): Promise<Stuck | undefined> {
  const { unfinished } = await recovery(await publisher.visible())
  if (unfinished === undefined) return undefined
  try {
    await publisher.resume(unfinished)
    return undefined
  } catch (error) {
    const { digest, changed } = await recovery(unfinished)
    return { digest, changed, error }
  }
}
