import { randomInt } from 'node:crypto'

/** A random integer of at least zero and less than `limit`, which is at most 2^48-1. */
export function randomBelow(limit: number): number {
  return randomInt(limit)
}
