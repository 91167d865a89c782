import { isAbsolute, posix, resolve } from 'node:path'
import { systemCode } from '../base/errors.ts'
import { fromBytes } from '../base/text.ts'
import { TEMPLATE_BYTES_MAX } from '../bundle.ts'
import type { BundleWorld } from './bundle-world.ts'
import { entriesOf, isMapping, itemsOf, showPath, valueAt, type Finding, type Path } from './finding.ts'
import { formatFindings } from './from.ts'
import { fixedDirectory, fixedPath, outputFindings } from './outputs.ts'
import { fromFindings, treeFindings } from './references.ts'
import { STATE_DIRECTORY } from './schema.ts'

export interface BundleFindings {
  readonly findings: readonly Finding[]
  /** The texts of the templates that could be read, by absolute path. */
  readonly templates: ReadonlyMap<string, string>
}

/** Finds what is wrong between the parts of bundles, and reads their templates. It works on what was written, not on what the
 *  schema made of it, so that it can be found beside everything else that is wrong. */
export async function inspectBundles(input: unknown, world: BundleWorld): Promise<BundleFindings> {
  const bundles = valueAt(input, ['bundles'])
  const findings: Finding[] = []
  const places: OutputPlace[] = statePlace(valueAt(input, ['state']), world)
  for (const [name, bundle] of entriesOf(bundles)) {
    if (!isMapping(bundle)) continue
    const path = ['bundles', name]
    findings.push(...outputFindings(bundle, path), ...hookNameFindings(bundle['hooks'], [...path, 'hooks'], world))
    for (const [i, file] of itemsOf(bundle['files']).entries()) {
      if (!isMapping(file)) continue
      const at = [...path, 'files', i]
      findings.push(
        ...treeFindings(file['tree'], [...at, 'tree'], world),
        ...fromFindings(file['from'], [...at, 'from'], world),
        ...formatFindings(file, at),
      )
    }
    places.push(...outputPlaces(name, bundle, world.directory))
  }
  findings.push(...collisions(places, world))
  const { templates, findings: unread } = await readTemplates(bundles, world)
  return { findings: [...findings, ...unread], templates }
}

/** Names of hooks are their identity, so two of one name would be one hook. */
function hookNameFindings(hooks: unknown, path: Path, { lineOf }: BundleWorld): readonly Finding[] {
  const firsts = new Map<string, Path>()
  const findings: Finding[] = []
  for (const [i, hook] of itemsOf(hooks).entries()) {
    if (!isMapping(hook) || typeof hook['name'] !== 'string') continue
    const here = [...path, i, 'name']
    const first = firsts.get(hook['name'])
    if (first === undefined) firsts.set(hook['name'], here)
    else findings.push({ path: here, message: `want a name of its own, got that of ${placeOf(first, lineOf)}` })
  }
  return findings
}

/** Something that will be at a path when all is published. */
interface OutputPlace {
  readonly kind: 'directory' | 'output' | 'outputs below'
  /** In one name space for all: below a volume, that of its own bundle. */
  readonly target: string
  readonly path: Path
}

function statePlace(state: unknown, { directory }: BundleWorld): OutputPlace[] {
  const text = typeof state === 'string' && state !== '' && !state.includes('\0') ? state : STATE_DIRECTORY
  return [{ kind: 'directory', target: resolve(directory, text), path: ['state'] }]
}

function outputPlaces(
  name: string,
  bundle: Readonly<Record<string, unknown>>,
  directory: string,
): readonly OutputPlace[] {
  const { volume } = bundle
  const places: OutputPlace[] = []
  if (typeof volume === 'string' && volume !== '' && !volume.includes('\0')) {
    places.push({ kind: 'directory', target: resolve(directory, volume), path: ['bundles', name, 'volume'] })
  }
  for (const [i, file] of itemsOf(bundle['files']).entries()) {
    const path = ['bundles', name, 'files', i, 'path']
    const below = volume === undefined ? fixedDirectory(file) : undefined
    if (below !== undefined) places.push({ kind: 'outputs below', target: below, path })
    const written = fixedPath(file, volume !== undefined)
    if (written === undefined) continue
    // Within a volume, names meet only those of the same bundle; a colon keeps them from meeting an absolute path.
    const target = volume === undefined ? posix.normalize(written) : `:${name}/${written}`
    places.push({ kind: 'output', target, path })
  }
  return places
}

/** Two places at one path, or one below another: whichever is published last would win, or fail. */
function collisions(places: readonly OutputPlace[], { lineOf }: BundleWorld): readonly Finding[] {
  const firsts = new Map<string, OutputPlace>()
  const findings: Finding[] = []
  const say = (place: OutputPlace, relation: string, other: OutputPlace) => {
    const want = place.kind === 'directory' ? 'a directory of its own' : 'a path of its own'
    findings.push({
      path: place.path,
      message: `want ${want}, got one ${relation} ${placeOf(other.path, lineOf)}`,
      hint: 'no output may be another one, or be inside another one',
    })
  }
  const isBelow = ({ kind }: OutputPlace) => kind === 'outputs below'
  for (const place of places.filter(each => !isBelow(each))) {
    const first = firsts.get(place.target)
    if (first === undefined) firsts.set(place.target, place)
    else say(place, 'that is', first)
  }
  for (const place of firsts.values()) {
    const above = parentsOf(place.target).find(parent => firsts.has(parent))
    if (above === undefined) continue
    const outer = firsts.get(above) as OutputPlace
    // The state directory may stand nowhere in the text; the other one does.
    if (place.path[0] === 'state') say(outer, 'around', place)
    else say(place, 'inside', outer)
  }
  for (const place of places.filter(isBelow)) {
    const above = [place.target, ...parentsOf(place.target)].find(parent => firsts.get(parent)?.kind === 'directory')
    if (above !== undefined) say(place, 'inside', firsts.get(above) as OutputPlace)
  }
  return findings
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) parents.push(path.slice(0, at))
  return parents
}

function placeOf(path: Path, lineOf: BundleWorld['lineOf']): string {
  return path[0] === 'state' ? 'the state directory' : `${showPath(path, () => true)} in line ${lineOf(path)}`
}

async function readTemplates(bundles: unknown, world: BundleWorld): Promise<BundleFindings> {
  const templates = new Map<string, string>()
  const findings: Finding[] = []
  const failed = new Map<string, string>()
  for (const [name, bundle] of entriesOf(bundles)) {
    for (const [i, file] of itemsOf(isMapping(bundle) ? bundle['files'] : undefined).entries()) {
      const written = isMapping(file) ? file['template'] : undefined
      if (typeof written !== 'string' || written === '' || written.includes('\0')) continue
      const path = resolve(world.directory, written)
      if (templates.has(path)) continue
      const got = failed.get(path) ?? (await readTemplate(path, world, templates))
      if (got === undefined) continue
      failed.set(path, got)
      const hint = isAbsolute(written) ? undefined : `relative paths start at ${world.directory}`
      const message = `want a template that can be read, got ${got}`
      const finding = { path: ['bundles', name, 'files', i, 'template'], message }
      findings.push(hint === undefined ? finding : { ...finding, hint })
    }
  }
  return { templates, findings }
}

/** Reads one into `templates`; gives what is wrong with it, if something is. */
async function readTemplate(
  path: string,
  world: BundleWorld,
  templates: Map<string, string>,
): Promise<string | undefined> {
  try {
    const bytes = await world.readFile(path)
    if (bytes.length > TEMPLATE_BYTES_MAX) return `one of ${bytes.length} bytes, more than ${TEMPLATE_BYTES_MAX}`
    templates.set(path, fromBytes(bytes))
    return undefined
  } catch (error) {
    const code = systemCode(error)
    return READ_PROBLEMS[code ?? ''] ?? `an error${code === undefined ? '' : ` (${code})`}`
  }
}

const READ_PROBLEMS: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'no such file',
  EISDIR: 'a directory',
  ENOTDIR: 'a path through what is not a directory',
  EACCES: 'one that we may not read (EACCES)',
}
