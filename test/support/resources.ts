import { setImmediate } from 'node:timers/promises'

/** What keeps the process alive, counted by kind. */
export function resources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** Waits until what was started for a moment only is gone. */
export async function settledResources(): Promise<void> {
  for (let i = 0; i < 50; i++) await setImmediate()
}

/** How many more of each kind there are after than before. */
export function grown(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> {
  const more = [...after].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
  return Object.fromEntries(more.filter(([, count]) => count > 0))
}

/** How many listeners the process has, for signals and the like. */
export function signalHandlers(): number {
  return process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0)
}
