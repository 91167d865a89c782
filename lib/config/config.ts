import { dirname, resolve } from 'node:path'
import type { BundleOptions } from '../bundle.ts'
import type { ProviderPlugin } from '../provider.ts'
import { buildBundle } from './build.ts'
import { inspectBundles } from './bundles.ts'
import { readDocument, type ConfigDocument } from './document.ts'
import { Shown } from './excerpt.ts'
import { showPath, valueAt, type Finding, type Path } from './finding.ts'
import { ConfigError, type ConfigProblem } from './problem.ts'
import { COMMON_KEYS, readProviders, type ProviderConfig } from './providers.ts'
import { topSchema } from './schema.ts'
import { isShowable, shapeOf } from './shape.ts'
import { validate } from './validate.ts'

export { ConfigError, formatProblem, type ConfigProblem } from './problem.ts'
export type { ProviderConfig } from './providers.ts'

/** A configuration that was found to be right, with its defaults. */
export interface Config {
  readonly file: string
  /** Of the file, absolute: where relative paths start. */
  readonly directory: string
  readonly providers: ReadonlyMap<string, ProviderConfig>
  readonly bundles: ReadonlyMap<string, BundleOptions>
  /** @default '/var/lib/outrigger' */
  readonly stateDirectory: string
  /** Where the health listener listens; without it there is none. Port 0 is any free one. */
  readonly admin: { readonly host: string; readonly port: number } | undefined
}

export interface ConfigSource {
  readonly file: string
  /** YAML 1.2, and so JSON. */
  readonly text: string
}

export interface ConfigWorld {
  /** By type. */
  readonly plugins: ReadonlyMap<string, ProviderPlugin>
  /** What `${NAME}` stands for. */
  readonly environment: Readonly<Record<string, string>>
  /** Reads the templates. */
  readFile(path: string): Promise<Uint8Array>
}

/** How many problems are reported; whoever has more has one that makes the others. */
const PROBLEMS_MAX = 100

/** Reads a configuration, and everything that it takes to say whether it is right: templates, but no provider and no output.
 *  Rejects with a `ConfigError` that has every problem. */
export async function loadConfig(source: ConfigSource, world: ConfigWorld): Promise<Config> {
  const file = resolve(source.file)
  const directory = dirname(file)
  const document = readDocument(source.text, world.environment)
  if (document.malformed) throw refusal(source.file, document, document.findings, () => false)

  const { input } = document
  const isExpanded = (path: Path) => document.isExpanded(path)
  const lineOf = (path: Path) => document.position(document.rangeOf({ path, message: '' })[0]).line
  const top = validate(topSchema, input, { base: [], directory, isExpanded })
  const providers = readProviders(valueAt(input, ['providers']), { ...world, directory, isExpanded, lineOf })
  const bundles = await inspectBundles(input, {
    directory,
    lineOf,
    providers: new Map(
      [...providers.configs].map(([name, config]) => {
        return [name, config && { type: config.plugin.type, hasTrees: config.plugin.tree !== undefined }]
      }),
    ),
    readFile: path => world.readFile(path),
  })

  const findings = [...document.findings, ...top.findings, ...providers.findings, ...bundles.findings]
  if (top.output === undefined || findings.length > 0) {
    throw refusal(source.file, document, findings, path => isShowableIn(input, path, world.plugins))
  }
  return {
    file,
    directory,
    providers: providers.configs as ReadonlyMap<string, ProviderConfig>,
    bundles: new Map(
      Object.entries(top.output.bundles).map(([name, bundle]) => [name, buildBundle(name, bundle, bundles.templates)]),
    ),
    stateDirectory: top.output.state,
    admin: top.output.admin?.listen,
  }
}

/** Whether the value at a path is known to be harmless. */
function isShowableIn(input: unknown, path: Path, plugins: ReadonlyMap<string, ProviderPlugin>): boolean {
  const [top, name, ...rest] = path
  if (top !== 'providers' || rest.length === 0) return isShowable(shapeOf(topSchema), input, path)
  if (COMMON_KEYS.has(String(rest[0]))) return rest.length === 1
  const provider = valueAt(input, ['providers', name as string])
  const plugin = plugins.get(String(valueAt(provider, ['type'])))
  return plugin !== undefined && isShowable(shapeOf(plugin.options), provider, rest)
}

function refusal(
  file: string,
  document: ConfigDocument,
  findings: readonly Finding[],
  isShowablePath: (path: Path) => boolean,
): ConfigError {
  const shown = new Shown(document, isShowablePath)
  const seen = new Set<string>()
  const placed: { readonly offset: number; readonly problem: ConfigProblem }[] = []
  for (const finding of findings) {
    // The first finding about a value is the cause of the others.
    const place = JSON.stringify(finding.path)
    if (seen.has(place) && finding.final === undefined) continue
    if (typeof finding.at !== 'number' || finding.final === true) seen.add(place)
    const [offset] = document.rangeOf(finding)
    const { line, column } = document.position(offset)
    const { message, hint } = finding
    const problem = {
      file,
      line,
      column,
      path: showPath(finding.path),
      message,
      shown: shown.columns(offset - column + 1),
    }
    placed.push({ offset, problem: hint === undefined ? problem : { ...problem, hint } })
  }
  const sorted = placed.toSorted((a, b) => a.offset - b.offset).map(({ problem }) => problem)
  return new ConfigError(sorted.slice(0, PROBLEMS_MAX))
}
