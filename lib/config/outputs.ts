/** What can be said about outputs before anything is rendered. */
import { compileGlob } from '../base/glob.ts'
import { messageOf } from '../errors.ts'
import { outputPathProblem } from '../output-path.ts'
import { isMapping, itemsOf, type Finding, type Mapping, type Path } from './finding.ts'

/** Finds what is wrong with the outputs of a bundle, each taken alone. */
export function outputFindings(bundle: Mapping, above: Path): readonly Finding[] {
  const inVolume = bundle['volume'] !== undefined
  return itemsOf(bundle['files']).flatMap((file, i): readonly Finding[] => {
    if (!isMapping(file)) return []
    const path = [...above, 'files', i]
    const problem = pathProblem(file, inVolume)
    return [
      ...(problem === undefined ? [] : [{ path: [...path, 'path'], ...problem }]),
      ...patternFindings(file['include'], [...path, 'include']),
      ...patternFindings(file['exclude'], [...path, 'exclude']),
      ...syntaxFindings(file, path),
    ]
  })
}

/** The one path at which an output will be, where it is known and right. */
export function fixedPath(file: unknown, inVolume: boolean): string | undefined {
  if (!isMapping(file) || typeof file['path'] !== 'string' || file['forEach'] !== undefined) return undefined
  return pathProblem(file, inVolume) === undefined ? file['path'] : undefined
}

/** The directory that every output of a path with actions is below, as far as it is written, without a volume. */
export function fixedDirectory(file: unknown): string | undefined {
  if (!isMapping(file) || typeof file['path'] !== 'string' || file['forEach'] === undefined) return undefined
  if (pathProblem(file, false) !== undefined) return undefined
  const [open] = delimsOf(file)
  const written = file['path'].slice(0, file['path'].indexOf(open))
  return written.slice(0, written.lastIndexOf('/')) || undefined
}

function pathProblem(file: Mapping, inVolume: boolean): Pick<Finding, 'message' | 'hint'> | undefined {
  const { path, tree, forEach } = file
  if (typeof path !== 'string') return undefined
  if (forEach !== undefined && tree === undefined) return patternProblem(path, file, inVolume)
  // A tree may be the whole volume.
  if (path === '.' && inVolume && tree !== undefined) return undefined
  return outputPathProblem(path, inVolume)
}

/** What is wrong with a path that is a template, whatever its actions print: a word stands in their place. */
function patternProblem(path: string, file: Mapping, inVolume: boolean): Pick<Finding, 'message' | 'hint'> | undefined {
  const [open, close] = delimsOf(file)
  const actions = new RegExp(`${RegExp.escape(open)}.*?${RegExp.escape(close)}`, 'gs')
  const printed = path.replace(actions, 'x')
  if (printed === path) {
    return {
      message: 'want a path of its own for each item, got one without an action',
      hint: `put what tells the items apart into it, such as ${open} .Key ${close}`,
    }
  }
  // What it begins with may be printed.
  return outputPathProblem(!inVolume && path.startsWith(open) ? `/${printed}` : printed, inVolume)
}

function delimsOf({ delims }: Mapping): readonly [string, string] {
  const [open, close] = itemsOf(delims)
  const areRight = typeof open === 'string' && typeof close === 'string' && open !== '' && close !== ''
  return areRight ? [open, close] : ['{{', '}}']
}

function patternFindings(patterns: unknown, path: Path): readonly Finding[] {
  return itemsOf(patterns).flatMap((pattern, i): readonly Finding[] => {
    if (typeof pattern !== 'string') return []
    try {
      compileGlob(pattern)
      return []
    } catch (error) {
      const message = `want a pattern such as "**/*.conf", got ${messageOf(error)}`
      const hint = 'patterns start at the tree; dir/** is everything below dir'
      return [{ path: [...path, i], message, hint }]
    }
  })
}

/** How templates are written says nothing where there are none. */
function syntaxFindings(file: Mapping, path: Path): readonly Finding[] {
  if (file['tree'] === undefined || file['render'] === true) return []
  return ['delims', 'missingKey']
    .filter(key => file[key] !== undefined)
    .map(key => ({
      path: [...path, key],
      at: 'key',
      message: 'want it only where a tree has templates, got a tree without',
      hint: 'add render: true, if the files that end in .tmpl are templates',
    }))
}
