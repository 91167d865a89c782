import { toBytes } from '../base/text.ts'
import type { FileOptions, Owner } from '../bundle.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { parseTemplate, pending } from '../template/template.ts'
import { encode } from './formats/encode.ts'
import { refer, referParsed, type RenderContext } from './functions.ts'
import type { Owners, RendererOptions } from './options.ts'
import { parseByExtension, parseWithDates } from './parse.ts'

/** What is evaluated as one: an entry under `files:`, or a part of it. */
export interface Unit<Result = readonly OutputFile[]> {
  /** For messages: the path as configured. */
  readonly title: string
  /** What it gives: files. Throws a TemplateError, or an Error whose message says what is wrong. */
  evaluate(context: RenderContext): Result
}

export const FILE_MODE = 0o600

export function templateUnit(file: FileOptions, options: RendererOptions): Unit {
  if (file.source.kind !== 'template') throw new TypeError('not a template')
  const { name, text, syntax } = file.source
  const { delims, missingKey } = syntax
  const { functions, parse = parseTemplate } = options
  const template = parse({ name, text, functions, delims, missingKey })
  const attributes = attributesOf(file, options.owners)
  return {
    title: file.path,
    evaluate: context => [
      { path: file.path, content: toBytes(template.execute(null, context, options.bounds)), ...attributes },
    ],
  }
}

/** A value without a template: the answer to a reference, encoded. */
export function fromUnit(file: FileOptions, options: RendererOptions): Unit {
  if (file.source.kind !== 'from') throw new TypeError('not a value')
  const { reference, format, keys } = file.source
  const attributes = attributesOf(file, options.owners)
  const answerTo = format.name === 'raw' ? refer : referParsed
  const parse = format.name === 'toml' ? parseWithDates : parseByExtension
  return {
    title: file.path,
    evaluate({ questioning }) {
      const answer = answerTo(options.askers, questioning, reference, parse)
      return answer === pending ? [] : [{ path: file.path, content: encode(answer, format, keys), ...attributes }]
    },
  }
}

/** Mode and owners of an output as configured. */
export function attributesOf(file: FileOptions, known: Owners): Pick<OutputFile, 'mode' | 'uid' | 'gid'> {
  return {
    mode: file.mode ?? FILE_MODE,
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
