import { dirname, resolve } from 'node:path'
import type { BundleOptions } from '../bundle.ts'
import type { ProviderPlugin } from '../provider.ts'
import { buildBundle } from './build.ts'
import { inspectBundles } from './bundles.ts'
import { readDocument, type ConfigDocument } from './document.ts'
import { Shown, type Places } from './excerpt.ts'
import { showPath, valueAt, type Finding, type Path } from './finding.ts'
import { ConfigError, type ConfigProblem } from './problem.ts'
import { COMMON_KEYS, isTypeLike, readProviders, type ProviderConfig } from './providers.ts'
import { topSchema } from './schema.ts'
import { isShowable, judgesAt, shapeOf, type Shape } from './shape.ts'
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
  /** The file with the key that seals what is kept for a restart; without it, a key of our own in the state directory. */
  readonly stateKey: string | undefined
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
const PROBLEMS_MAX = 1_000

/** Reads a configuration, and everything that it takes to say whether it is right: templates, but no provider and no output.
 *  Rejects with a `ConfigError` that has every problem. */
export async function loadConfig(source: ConfigSource, world: ConfigWorld): Promise<Config> {
  const file = resolve(source.file)
  const directory = dirname(file)
  const document = readDocument(source.text, world.environment)
  if (document.malformed) throw refusal(source.file, document, document.findings, NOWHERE)

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
    throw refusal(source.file, document, findings, placesIn(input, world.plugins))
  }
  return {
    file,
    directory,
    providers: providers.configs as ReadonlyMap<string, ProviderConfig>,
    bundles: new Map(
      Object.entries(top.output.bundles).map(([name, bundle]) => [name, buildBundle(name, bundle, bundles.templates)]),
    ),
    stateDirectory: top.output.state,
    stateKey: top.output.stateKey,
    admin: top.output.admin?.listen,
  }
}

/** What the schemas say of the places in a configuration; those of providers are with their plugins. */
function placesIn(input: unknown, plugins: ReadonlyMap<string, ProviderPlugin>): Places {
  const schemaFor = (
    path: Path,
  ): { readonly shape: Shape; readonly value: unknown; readonly path: Path } | undefined => {
    const [top, name, key] = path
    if (top !== 'providers' || key === undefined || COMMON_KEYS.has(String(key))) {
      return { shape: shapeOf(topSchema), value: input, path }
    }
    const value = valueAt(input, ['providers', name as string])
    const plugin = plugins.get(String(valueAt(value, ['type'])))
    return plugin && { shape: shapeOf(plugin.options), value, path: path.slice(2) }
  }
  return {
    isKnown(path) {
      // A key without a value may be a value without its key.
      if (valueAt(input, path) === null) return false
      const place = schemaFor(path)
      return place !== undefined && judgesAt(place.shape, place.value, place.path).length > 0
    },
    isShowable(path) {
      const place = schemaFor(path)
      if (path[0] === 'providers' && path[2] === 'type') return isTypeLike(valueAt(input, path), plugins)
      return place !== undefined && isShowable(place.shape, place.value, place.path)
    },
  }
}

const NOWHERE: Places = { isKnown: () => false, isShowable: () => false }

function refusal(file: string, document: ConfigDocument, findings: readonly Finding[], places: Places): ConfigError {
  const shown = new Shown(document, places)
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
    const path = showPath(finding.path, places.isKnown)
    const problem = { file, line, column, path, message, shown: shown.columns(offset - column + 1) }
    placed.push({ offset, problem: hint === undefined ? problem : { ...problem, hint } })
  }
  const sorted = placed.toSorted((a, b) => a.offset - b.offset).map(({ problem }) => problem)
  return new ConfigError(sorted.slice(0, PROBLEMS_MAX))
}
