import { fromBytes } from '../../lib/base/text.ts'
import type { Tree, Value } from '../../lib/base/value.ts'
import type { FileOptions, FileSource } from '../../lib/bundle.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { Explainer } from '../../lib/render/explain.ts'
import { renderFunctions, type Asker } from '../../lib/render/functions.ts'
import type { RendererOptions } from '../../lib/render/options.ts'
import { Renderer, type Rendered } from '../../lib/render/renderer.ts'
import type { Bounds } from '../../lib/template/template.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'

export interface StartOptions {
  /** Undefined for absolute paths. */
  readonly volume?: string | undefined
  readonly bounds?: Bounds
  /** Whether the readings are. @default false */
  readonly sensitive?: boolean
}

export interface FileSetup extends Partial<Omit<FileOptions, 'path' | 'source'>> {
  readonly path: string
  readonly source: FileSource
}

/** A renderer of these files, whose provider `one` has the readings that a test sets. */
export function start(
  files: readonly FileSetup[],
  { volume = '/volume', bounds = {}, sensitive = false }: StartOptions = {},
) {
  const plugin = scriptedPlugin(new ScriptedProvider())
  const askers = new Map<string, Asker>([['one', { name: 'one', plugin, isDefault: true }]])
  const readings = new Map<string, Reading>()
  const options: RendererOptions = {
    bundle: {
      name: 'web',
      volume: volume === '' ? undefined : volume,
      files: files.map(file => ({ mode: undefined, owner: undefined, group: undefined, ...file })),
      checks: [],
      hooks: [],
      probe: undefined,
      settle: { quietMs: 0, longestMs: 0 },
      keep: 3,
      keepAgeMs: 0,
    },
    functions: renderFunctions(askers),
    askers,
    environment: {},
    now: () => 0,
    networkAddresses: () => [],
    digestKey: Buffer.from('key'),
    owners: { uid: () => 0, gid: () => 0 },
    bounds,
  }
  const renderer = new Renderer(options)
  const view = { get: ({ path }: Dependency) => readings.get(path) }
  let revisions = 0
  return {
    set: (path: string, value: Value | Tree | typeof absent) =>
      void readings.set(path, { value, revision: `r${++revisions}`, observedAtMs: 0, sensitive }),
    render: () => renderer.render(view),
    explainer: () => new Explainer(options, view),
  }
}

/** A template without a file of its own. */
export function template(text: string, more: { readonly forEach?: string } = {}): FileSource {
  const syntax = { delims: ['{{', '}}'], missingKey: 'error' } as const
  return { kind: 'template', name: 'text', text, syntax, ...more }
}

/** The outputs by their paths; throws when there are none. */
export function texts(rendered: Rendered): Readonly<Record<string, string>> {
  if (rendered.kind === 'broken') throw new Error(`it is broken: ${rendered.problem.message}`)
  if (rendered.kind !== 'complete') throw new Error(`it is ${rendered.kind}`)
  return Object.fromEntries(rendered.contents.files.map(({ path, content }) => [path, fromBytes(content)]))
}

/** What is wrong, and the hint; throws when nothing is. */
export function problemOf(rendered: Rendered): string {
  if (rendered.kind !== 'broken') throw new Error(`it is ${rendered.kind}`)
  const { message, hint } = rendered.problem
  return hint === undefined ? message : `${message}\n${hint}`
}

export function wanted(rendered: Rendered): readonly string[] {
  return rendered.wanted.map(({ path }) => path).toSorted()
}
