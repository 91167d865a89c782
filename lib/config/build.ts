import type { BundleOptions, FileOptions, FileSource, ProbeOptions, TemplateSyntax } from '../bundle.ts'
import { parseReference, type Reference } from '../dependency.ts'
import { buildFrom } from './from.ts'
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
  if ('tree' in file) return buildTree(file)
  if ('from' in file) return buildFrom(file)
  const syntax = buildSyntax(file)
  const forEach = file.forEach === undefined ? {} : { forEach: file.forEach }
  // An error of a template names its file; one that has none, the file that it makes.
  return 'content' in file
    ? { kind: 'template', name: file.path, text: file.content, syntax, ...forEach }
    : { kind: 'template', name: file.template, text: templates.get(file.template) as string, syntax, ...forEach }
}

function buildTree(file: Extract<FileInput, { readonly tree: string }>): FileSource {
  const { tree, include, exclude, render } = file
  return {
    kind: 'tree',
    reference: parseReference(tree) as Reference,
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(render ? { render: buildSyntax(file) } : {}),
  }
}

interface SyntaxInput extends Pick<TemplateSyntax, 'missingKey'> {
  /** Two, the schema says. */
  readonly delims: readonly string[]
}

function buildSyntax({ delims, missingKey }: SyntaxInput): TemplateSyntax {
  const [open, close] = delims as [string, string]
  return { delims: [open, close], missingKey }
}

function buildProbe(probe: NonNullable<BundleInput['probe']>): ProbeOptions {
  const target = 'http' in probe ? { http: probe.http, expect: probe.expect } : { command: probe.command }
  return { target, forMs: probe.for, everyMs: probe.every, timeoutMs: probe.timeout }
}
