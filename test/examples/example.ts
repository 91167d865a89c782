import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

const examples = resolve(import.meta.dirname, '../../examples')

export function readExample(name: string, file: string): string {
  return readFileSync(join(examples, name, file), 'utf8')
}

/** A configuration as its YAML says it. */
export interface PlainConfig {
  readonly providers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly bundles: Readonly<Record<string, PlainBundle>>
  readonly state: string
  readonly admin?: { readonly listen: string }
}

export interface PlainBundle {
  readonly volume: string
  readonly files: readonly Readonly<Record<string, unknown>>[]
  readonly checks?: readonly { readonly command: readonly string[] }[]
  readonly hooks?: readonly Readonly<Record<string, unknown>>[]
  readonly probe?: { readonly http: string }
}

export function readConfig(name: string): PlainConfig {
  return parse(readExample(name, 'outrigger.yaml')) as PlainConfig
}

/** Writes an example's configuration and templates into a directory, with each text replaced by another: paths, ports. A
 *  replacement that finds nothing throws, because then the example is not what the test thinks. Gives the path. */
export function rehome(name: string, directory: string, replacements: Readonly<Record<string, string>>): string {
  let text = readExample(name, 'outrigger.yaml')
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`${name}/outrigger.yaml has no ${from}`)
    text = text.replaceAll(from, to)
  }
  const path = join(directory, 'outrigger.yaml')
  writeFileSync(path, text)
  const templates = Object.values((parse(text) as PlainConfig).bundles).flatMap(({ files }) =>
    files.flatMap(({ template }) => (typeof template === 'string' ? [template] : [])),
  )
  for (const template of templates) writeFileSync(join(directory, template), readExample(name, template))
  return path
}

/** The parts of a Kubernetes object that the examples use. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: PodSpec
}

export interface PodSpec {
  readonly shareProcessNamespace?: boolean
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly restartPolicy?: string
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts: readonly Mount[]
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
}

export interface Mount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
  readonly subPath?: string
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds?: number
  readonly failureThreshold?: number
}

/** The objects of a manifest; throws where it is not YAML. */
export function readManifests(name: string): readonly Manifest[] {
  return parseAllDocuments(readExample(name, 'pod.yaml')).map(document => {
    if (document.errors.length > 0) throw document.errors[0] as Error
    return document.toJS() as Manifest
  })
}

export function podOf(manifests: readonly Manifest[]): PodSpec {
  const spec = manifests.find(({ kind }) => kind === 'Pod')?.spec
  if (spec === undefined) throw new Error('no Pod')
  return spec
}

/** The volume that is seen at a path, with where it is mounted. */
export function mountOf(container: Container, path: string): Mount | undefined {
  const holds = container.volumeMounts.filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))
  return holds.toSorted((a, b) => b.mountPath.length - a.mountPath.length)[0]
}
