import type { BundleOptions, CheckOptions, FileOptions, FileSource, ProbeOptions } from '../bundle.ts'
import { parseReference, type Reference } from '../dependency.ts'
import { withIds } from './hooks.ts'
import { LONGEST_MS, QUIET_MS, type BundleInput, type FileInput } from './schema.ts'

const KEEP = 3
const KEEP_AGE_MS = 60_000
const CHECK_TIMEOUT_MS = 30_000
const PROBE = { forMs: 20_000, everyMs: 1_000, timeoutMs: 5_000 }

/** A bundle with all its defaults, from what was found to be right. `templates` are the texts by their path as written. */
export function buildBundle(
  name: string,
  input: BundleInput,
  templates: readonly (string | undefined)[],
): BundleOptions {
  return {
    name,
    volume: input.volume,
    files: input.files.map((file, i) => buildFile(file, templates[i])),
    checks: (input.checks ?? []).map(({ command, timeout = CHECK_TIMEOUT_MS }): CheckOptions => ({
      command,
      timeoutMs: timeout,
    })),
    hooks: withIds(input.hooks ?? []),
    probe: input.probe === undefined ? undefined : buildProbe(input.probe),
    settle: input.settle ?? { quietMs: QUIET_MS, longestMs: LONGEST_MS },
    keep: input.keep ?? KEEP,
    keepAgeMs: input.keepAge ?? KEEP_AGE_MS,
  }
}

function buildFile(file: FileInput, template: string | undefined): FileOptions {
  const { path, mode, owner, group } = file
  return { path, source: buildSource(file, template), mode, owner, group }
}

function buildSource(file: FileInput, template: string | undefined): FileSource {
  if ('tree' in file) return { kind: 'tree', reference: parseReference(file.tree) as Reference }
  const [open = '{{', close = '}}'] = file.delims ?? []
  const syntax = { delims: [open, close] as const, missingKey: file.missingKey ?? 'error' }
  // An error of a template names its file; one that has none, the file that it makes.
  return 'content' in file
    ? { kind: 'template', name: file.path, text: file.content, syntax }
    : { kind: 'template', name: file.template, text: template ?? '', syntax }
}

function buildProbe(probe: NonNullable<BundleInput['probe']>): ProbeOptions {
  const { for: forMs = PROBE.forMs, every: everyMs = PROBE.everyMs, timeout: timeoutMs = PROBE.timeoutMs } = probe
  const target = 'http' in probe ? { http: probe.http, expect: probe.expect } : { command: probe.command }
  return { target, forMs, everyMs, timeoutMs }
}
