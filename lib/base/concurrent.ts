/** Does something with each item, a bounded number at a time.
 *
 *  After a failure nothing more is begun, and what is under way is awaited before the first error is thrown: the caller
 *  can clean up without anything still going on behind its back. */
export async function forEachConcurrent<T>(
  items: Iterable<T>,
  concurrencyMax: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const failures: unknown[] = []
  async function work(): Promise<void> {
    while (failures.length === 0) {
      const next = queue.next()
      if (next.done === true) return
      try {
        await task(next.value)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrencyMax }, work))
  if (failures.length > 0) throw failures[0]
}
