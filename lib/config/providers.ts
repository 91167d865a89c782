import { nearest } from '../base/nearest.ts'
import { v } from '../base/schema.ts'
import type { ProviderPlugin } from '../provider.ts'
import { entriesOf, isMapping, isWord, type Finding, type Path } from './finding.ts'
import { shrinkGuardSchema, type ShrinkGuardOptions } from './shrink-guard.ts'
import { validate, type ValidateOptions } from './validate.ts'

/** A configured provider, ready to be opened. */
export interface ProviderConfig {
  readonly name: string
  readonly plugin: ProviderPlugin
  /** What the plugin's schema made of its options. */
  readonly options: unknown
  /** Whether the template functions of its type ask this one, where several have the type. */
  readonly isDefault: boolean
  /** What of its readings is kept, sealed, for a restart. @default 'all'; 'leases' where it reads what is on this machine anyway */
  readonly seal: 'all' | 'leases' | 'none'
  /** Whether `run` revokes its leases when it ends. @default false */
  readonly revokesOnShutdown: boolean
  /** What its lists and trees may lose at once before that is held back; undefined where they may lose anything. */
  readonly shrinkGuard: ShrinkGuardOptions | undefined
}

export interface ProvidersOptions extends Pick<ValidateOptions, 'isExpanded'> {
  readonly directory: string
  readonly plugins: ReadonlyMap<string, ProviderPlugin>
  readonly lineOf: (path: Path) => number
}

export interface Providers {
  readonly findings: readonly Finding[]
  /** By name; undefined where something is wrong with it. */
  readonly configs: ReadonlyMap<string, ProviderConfig | undefined>
}

/** The keys of a provider that are not its plugin's. */
export const COMMON_KEYS: ReadonlySet<string> = new Set(['type', 'default', 'seal', 'revokeOnShutdown', 'shrinkGuard'])

/** Validates each provider's options with the schema of its plugin. */
export function readProviders(input: unknown, options: ProvidersOptions): Providers {
  const findings: Finding[] = []
  const configs = new Map<string, ProviderConfig | undefined>()
  const defaults = new Map<string, Path>()
  for (const [name, provider] of entriesOf(input)) {
    configs.set(name, undefined)
    if (!isMapping(provider) || typeof provider['type'] !== 'string') continue
    const base = ['providers', name]
    const plugin = options.plugins.get(provider['type'])
    if (plugin === undefined) {
      findings.push(unknownType(provider['type'], [...base, 'type'], options))
      continue
    }
    const own = Object.fromEntries(Object.entries(provider).filter(([key]) => !COMMON_KEYS.has(key)))
    const { isExpanded, directory } = options
    const validated = validate(plugin.options, own, { base, directory, isExpanded })
    findings.push(...validated.findings)
    const isDefault = provider['default'] === true
    if (isDefault) {
      const first = defaults.get(plugin.type)
      if (first === undefined) defaults.set(plugin.type, base)
      else findings.push(secondDefault(plugin.type, [...base, 'default'], options.lineOf([...first, 'default'])))
    }
    if (validated.findings.length > 0) continue
    configs.set(name, {
      name,
      plugin,
      options: validated.output,
      isDefault,
      // What else stands here is a finding of the schema of the whole.
      seal: (provider['seal'] as ProviderConfig['seal'] | undefined) ?? (plugin.isLocal === true ? 'leases' : 'all'),
      revokesOnShutdown: provider['revokeOnShutdown'] === true,
      shrinkGuard: shrinkGuardOf(provider['shrinkGuard']),
    })
  }
  return { findings, configs }
}

function shrinkGuardOf(input: unknown): ShrinkGuardOptions | undefined {
  const result = v.safeParse(shrinkGuardSchema, input)
  return result.success ? result.output : undefined
}

/** Whether a type can be shown: it is one, or a word like one. */
export function isTypeLike(type: unknown, plugins: ReadonlyMap<string, ProviderPlugin>): boolean {
  return typeof type === 'string' && (plugins.has(type) || isWord(type))
}

function unknownType(type: string, path: Path, { plugins, isExpanded }: ProvidersOptions): Finding {
  const known = [...plugins.keys()].toSorted()
  const near = nearest(type, known)
  const shown = !isExpanded(path) && isTypeLike(type, plugins) ? JSON.stringify(type) : 'another string'
  return {
    path,
    message: `want a type of provider, got ${shown}`,
    hint: near === undefined ? `known types: ${known.join(', ')}` : `did you mean "${near}"?`,
  }
}

function secondDefault(type: string, path: Path, line: number): Finding {
  return {
    path,
    message: `want at most one default provider of type ${type}, got a second one after line ${line}`,
    hint: 'its functions ask the default one; ref asks any by name',
  }
}
