import { toBytes } from '../base/text.ts'
import { Tree, type TreeFile } from '../base/value.ts'
import type { FileOptions, Owner } from '../bundle.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { parseTemplate } from '../template/template.ts'
import { askerOf, type RenderContext } from './functions.ts'
import type { Owners, RendererOptions } from './options.ts'

/** One entry under `files:`: what is evaluated as one. */
export interface Unit {
  /** For messages: the path as configured. */
  readonly title: string
  /** The files it gives. Throws a TemplateError, or an Error whose message says what is wrong. */
  evaluate(context: RenderContext): readonly OutputFile[]
}

const FILE_MODE = 0o600

export function templateUnit(file: FileOptions, options: RendererOptions): Unit {
  if (file.source.kind !== 'template') throw new TypeError('not a template')
  const { name, text, syntax } = file.source
  const { delims, missingKey } = syntax
  const template = parseTemplate<RenderContext>({ name, text, functions: options.functions, delims, missingKey })
  const attributes = { mode: file.mode ?? FILE_MODE, ...owners(file, options.owners) }
  return {
    title: file.path,
    evaluate: context => [
      { path: file.path, content: toBytes(template.execute(null, context, options.bounds)), ...attributes },
    ],
  }
}

export function treeUnit(file: FileOptions, options: RendererOptions): Unit {
  if (file.source.kind !== 'tree') throw new TypeError('not a tree')
  const { reference } = file.source
  const asker = askerOf(options.askers, reference)
  const question = asker.plugin.tree
  if (question === undefined) throw new Error(`${file.path}: the ${asker.plugin.type} provider has no trees`)
  const attributes = owners(file, options.owners)
  const prefix = file.path === '.' ? '' : `${file.path}/`
  return {
    title: file.path,
    evaluate({ questioning }) {
      const answer = questioning.ask(question, asker.name, [reference.path])
      if (!(answer instanceof Tree)) return []
      return [...answer.files].map(([path, { content, mode }]: [string, TreeFile]) => ({
        path: prefix + path,
        content,
        mode: file.mode ?? mode ?? FILE_MODE,
        ...attributes,
      }))
    },
  }
}

function owners(file: FileOptions, known: Owners): { uid?: number; gid?: number } {
  return {
    ...(file.owner === undefined ? {} : { uid: numberOf(file.owner, file.path, name => known.uid(name)) }),
    ...(file.group === undefined ? {} : { gid: numberOf(file.group, file.path, name => known.gid(name)) }),
  }
}

function numberOf(owner: Owner, path: string, find: (name: string) => number): number {
  if (typeof owner === 'number') return owner
  try {
    return find(owner)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    const hint = error.hint === undefined ? {} : { hint: error.hint }
    throw new OperationalError(error.code, `${path}: ${error.message}`, { ...hint, cause: error })
  }
}
