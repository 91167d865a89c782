import type { Recovery } from '../state/recover.ts'

/** The hooks that are to be told of what is visible, after a restart.
 *  @param hooks those that are configured now */
export function owedNow({ owed, told }: Recovery, hooks: readonly string[]): readonly string[] {
  if (owed.every(id => hooks.includes(id))) return owed
  // A hook that was owed and is not configured any more may have been put right: what stands in its place has not been told.
  return hooks.filter(id => !told.includes(id))
}
