/** Waits until `attempt` passes, trying again while it throws; gives what it returns, or throws its last error at the deadline. */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 10 } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, everyMs))
    }
  }
}
