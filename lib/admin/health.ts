import { formatDurationMs } from '../base/duration.ts'
import { listed } from '../base/listed.ts'
import type { BundleStatus, HeldBackStatus, ProviderStatus, Status } from '../status.ts'

/** What a probe is told: whether it is well, and why, a line each; as it was said, so maybe with line breaks and secrets in it. */
export interface Health {
  readonly well: boolean
  readonly lines: readonly string[]
}

/** How long ago the loop may have come round at most; it does so every few seconds while nothing happens. */
const LOOP_AGE_MS_MAX = 30_000

/** Whether the process does its work at all; a backend never decides it, because a restart would not cure one. */
export function liveness({ loopedAtMs }: Status, nowMs: number): Health {
  const ageMs = nowMs - loopedAtMs
  const well = ageMs <= LOOP_AGE_MS_MAX
  return { well, lines: [well ? 'live' : `not live: the loop has not come round for ${formatDurationMs(ageMs)}`] }
}

/** Whether each bundle shows what the application should run on now. A provider that fails makes a warning only: what it
 *  gave before is still good. */
export function readiness({ bundles, providers }: Status): Health {
  const well = bundles.every(bundle => bundle.ready)
  return { well, lines: [well ? 'ready' : 'not ready', ...bundles.map(bundleLine), ...providers.map(providerLine)] }
}

/** Whether each bundle has a visible generation, so that the application can start. */
export function startup({ bundles, providers }: Status): Health {
  const waiting = bundles.filter(bundle => bundle.generation === undefined)
  if (waiting.length === 0) return { well: true, lines: ['started'] }
  const failing = providers.filter(provider => provider.error !== undefined)
  return { well: false, lines: ['not started', ...waiting.map(bundleLine), ...failing.map(providerLine)] }
}

function bundleLine({ name, ready, summary }: BundleStatus): string {
  return `bundle ${name}: ${ready ? 'ready' : 'not ready'}: ${summary}`
}

function providerLine({ name, type, watches, error, staleMs, lastKnownGoodMs, heldBack = [] }: ProviderStatus): string {
  const who = `provider ${name} (${type})`
  const age = staleMs === undefined ? '' : `; its readings are up to ${formatDurationMs(staleMs)} old`
  const kept =
    lastKnownGoodMs === undefined
      ? ''
      : `; serving last-known-good readings from before the start, up to ${formatDurationMs(lastKnownGoodMs)} old`
  const held = heldBack.length === 0 ? [] : [listed(heldBack.map(heldBackPart), '; ')]
  const warnings = [...held, ...(error === undefined ? [] : [`${error}${age}${kept}`])]
  if (warnings.length === 0) return `${who}: ok: ${watches} ${watches === 1 ? 'watch' : 'watches'}`
  return `${who}: warning: ${warnings.join('; ')}`
}

function heldBackPart({ dependency, had, has, leftMs }: HeldBackStatus): string {
  const left = Math.round(leftMs) > 0 ? `, for ${formatDurationMs(leftMs)}` : ' until it has been read anew'
  return `${dependency} went from ${had} to ${has} and is served as before${left}`
}
