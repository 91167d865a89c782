import { isAbsolute, join, relative, resolve } from 'node:path'
import { nearest } from '../lib/base/nearest.ts'
import type { BundleOptions, FileOptions } from '../lib/bundle.ts'

/** A bundle that may have the file that a person means. */
export interface Candidate {
  readonly bundle: BundleOptions
  /** Which file of it that may be, the likeliest first. */
  readonly places: readonly Place[]
  /** Whether its configuration alone says that there is such a file; else only a render knows. */
  readonly isCertain: boolean
}

export interface Place {
  /** As configured: below the volume, or absolute. */
  readonly path: string
  readonly diskPath: string
  /** Whether it was named by where it is in the volume. */
  readonly isInVolume: boolean
}

/** The bundles whose file a person may mean by `FILE` or `FILE:LINE`: a path as it is configured, or one on disk, also through the
 *  links of a volume. Where some have the file by their configuration, those alone; else those whose volume it is in, where there are
 *  any: no other needs to be waited for. */
export function candidatesFor(text: string, bundles: ReadonlyMap<string, BundleOptions>): readonly Candidate[] {
  const texts = [...new Set([text, withoutLine(text)])]
  const all = Array.from(bundles.values(), bundle => ({
    bundle,
    places: texts.flatMap(each => placesFor(each, bundle.volume)),
    isCertain: false,
  }))
  const certain = having(all, ({ path }, { files }) => files.some(file => isOneFile(file) && file.path === path))
  if (certain.length > 0) return certain.map(each => ({ ...each, isCertain: true }))
  const possible = having(all, ({ path }, { files }) => files.some(file => mayGive(file, path)))
  const inVolume = having(possible, place => place.isInVolume)
  return inVolume.length > 0 ? inVolume : possible
}

/** Candidates with these of their places; without those that have none. */
function having(
  candidates: readonly Candidate[],
  isMeant: (place: Place, bundle: BundleOptions) => boolean,
): readonly Candidate[] {
  return candidates
    .map(each => ({ ...each, places: each.places.filter(place => isMeant(place, each.bundle)) }))
    .filter(({ places }) => places.length > 0)
}

/** The line that is asked for: what stands behind the file. */
export function lineIn(text: string, path: string): number | undefined {
  const line = LINE.exec(text)?.[1]
  return line === undefined || path.endsWith(`:${line}`) ? undefined : Number(line)
}

/** The path that was probably meant: by all of it or by its last part. */
export function nearestPath(text: string, paths: readonly string[]): string | undefined {
  const wanted = withoutLine(text)
  const last = (path: string) => path.slice(path.lastIndexOf('/') + 1)
  const whole = nearest(wanted, paths) ?? paths.find(path => last(path) === last(wanted))
  if (whole !== undefined) return whole
  const name = nearest(last(wanted), paths.map(last))
  return paths.find(path => last(path) === name)
}

const LINE = /:(\d+)$/

function withoutLine(text: string): string {
  return text.replace(LINE, '')
}

function placesFor(text: string, volume: string | undefined): readonly Place[] {
  const diskPath = resolve(text)
  if (volume === undefined) return [{ path: diskPath, diskPath, isInVolume: false }]
  const below = relative(volume, diskPath)
  const configured = join(text)
  const places: Place[] = []
  // Maybe through a generation's own directory, or the link to the visible one.
  if (below !== '' && !isOutside(below))
    places.push({ path: below.replace(/^\.\.[^/]+\//, ''), diskPath, isInVolume: true })
  if (!isAbsolute(configured) && !isOutside(configured))
    places.push({ path: configured, diskPath: resolve(volume, configured), isInVolume: false })
  return places
}

function isOutside(path: string): boolean {
  return path === '..' || path.startsWith('../')
}

/** Whether an entry has one output, whose path is known. */
function isOneFile({ source }: FileOptions): boolean {
  return source.kind !== 'tree' && !(source.kind === 'template' && source.forEach !== undefined)
}

/** Whether one of the many outputs of an entry may have this path; that only a render knows. */
function mayGive({ path, source }: FileOptions, wanted: string): boolean {
  if (source.kind !== 'tree') return source.kind === 'template' && source.forEach !== undefined
  return path === '.' || wanted.startsWith(`${path}/`)
}
