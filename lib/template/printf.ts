import { show } from './show.ts'
import type { Operand } from './operand.ts'
export function printf(format: string, args: readonly Operand[]): string {
  return format + args.map(show).join('')
}
