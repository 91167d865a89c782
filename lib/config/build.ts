import type { BundleOptions, FileOptions, FileSource, ProbeOptions } from '../bundle.ts'
import { parseReference, type Reference } from '../dependency.ts'
import { withIds } from './hooks.ts'
import type { BundleInput, FileInput } from './schema.ts'

/** A bundle from what was found to be right. `templates` are their texts by absolute path. */
export function buildBundle(
  name: string,
  { volume, files, checks, hooks, probe, settle, keep, keepAge }: BundleInput,
  templates: ReadonlyMap<string, string>,
): BundleOptions {
  return {
    name,
    volume,
    files: files.map(file => buildFile(file, templates)),
    checks: checks.map(({ command, timeout }) => ({ command, timeoutMs: timeout })),
    hooks: withIds(hooks),
    probe: probe && buildProbe(probe),
    settle,
    keep,
    keepAgeMs: keepAge,
  }
}

function buildFile(file: FileInput, templates: ReadonlyMap<string, string>): FileOptions {
  const { path, mode, owner, group } = file
  return { path, source: buildSource(file, templates), mode, owner, group }
}

function buildSource(file: FileInput, templates: ReadonlyMap<string, string>): FileSource {
  if ('tree' in file) return { kind: 'tree', reference: parseReference(file.tree) as Reference }
  const [open, close] = file.delims as [string, string]
  const syntax = { delims: [open, close] as const, missingKey: file.missingKey }
  // An error of a template names its file; one that has none, the file that it makes.
  return 'content' in file
    ? { kind: 'template', name: file.path, text: file.content, syntax }
    : { kind: 'template', name: file.template, text: templates.get(file.template) as string, syntax }
}

function buildProbe(probe: NonNullable<BundleInput['probe']>): ProbeOptions {
  const target = 'http' in probe ? { http: probe.http, expect: probe.expect } : { command: probe.command }
  return { target, forMs: probe.for, everyMs: probe.every, timeoutMs: probe.timeout }
}
