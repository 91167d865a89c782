import type { Execution } from './execution.ts'

/** Whether Go would hold a value as an interface, which its messages then name as the type: known when the template is
 *  compiled, or found in the slot of a variable when it executes. */
export type Boxing = boolean | number

export function isBoxed(run: Execution, boxing: Boxing): boolean {
  return typeof boxing === 'number' ? run.variables[boxing] === true : boxing
}
