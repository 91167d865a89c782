import { join, relative, resolve } from 'node:path'
import { nearest } from '../lib/base/nearest.ts'
import type { BundleOptions, FileOptions } from '../lib/bundle.ts'

/** A file that a bundle may have, by what its configuration says. */
export interface Candidate {
  readonly bundle: BundleOptions
  /** As configured: below the volume, or absolute. */
  readonly path: string
  readonly diskPath: string
}

/** The files that a person may mean by `FILE` or `FILE:LINE`: a path as it is configured, or one on disk, also through the
 *  links of a volume. */
export function candidatesFor(text: string, bundles: ReadonlyMap<string, BundleOptions>): readonly Candidate[] {
  const texts = new Set([text, withoutLine(text)])
  return [...bundles.values()].flatMap(bundle => {
    const places = new Map([...texts].flatMap(each => placesFor(each, bundle.volume)))
    const possible = [...places].filter(([path]) => bundle.files.some(file => mayGive(file, path)))
    return possible.map(([path, diskPath]) => ({ bundle, path, diskPath }))
  })
}

/** The line that is asked for: what stands behind the file. */
export function lineIn(text: string, { path }: Candidate): number | undefined {
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

/** The paths that may be meant, as they are configured, and where they are on disk. */
function placesFor(text: string, volume: string | undefined): readonly (readonly [string, string])[] {
  const diskPath = resolve(text)
  if (volume === undefined) return [[diskPath, diskPath]]
  const configured = [join(text), resolve(volume, text)] as const
  const below = relative(volume, diskPath)
  if (below === '' || below === '..' || below.startsWith('../')) return [configured]
  // Maybe through a generation's own directory, or the link to the visible one.
  return [configured, [below.replace(/^\.\.[^/]+\//, ''), diskPath]]
}

function mayGive({ path, source }: FileOptions, wanted: string): boolean {
  // Which paths there are only a render knows.
  if (source.kind === 'template' && source.forEach !== undefined) return true
  if (source.kind !== 'tree') return path === wanted
  return path === '.' ? !wanted.startsWith('/') && !wanted.startsWith('..') : wanted.startsWith(`${path}/`)
}
