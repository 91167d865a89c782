import { inject } from 'vitest'

/** The path of the program as it is shipped, built when the test run began. Throws when this tree cannot be built. */
export function builtProgram(): string {
  const path = inject('outriggerProgram')
  if (path === '') throw new Error('the program could not be built; the beginning of the run says why')
  return path
}
