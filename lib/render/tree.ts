import { compileGlob, type Glob } from '../base/glob.ts'
import { fromBytes, toBytes } from '../base/text.ts'
import { Tree, type TreeFile } from '../base/value.ts'
import { TEMPLATE_BYTES_MAX, type FileOptions } from '../bundle.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { parseTemplate, type Template, type TemplateOptions } from '../template/template.ts'
import { askerOf, type RenderContext } from './functions.ts'
import { countedBounds, type RendererOptions } from './options.ts'
import type { Item, Listing } from './several.ts'
import { attributesOf, FILE_MODE, type Unit } from './unit.ts'

const ENDING = '.tmpl'

/** Lists the files of a tree. */
export function treeUnit(file: FileOptions, options: RendererOptions): Unit<Listing> {
  if (file.source.kind !== 'tree') throw new TypeError('not a tree')
  const { reference, include, exclude = [], render } = file.source
  const asker = askerOf(options.askers, reference)
  const question = asker.plugin.tree
  if (question === undefined) throw new Error(`${file.path}: the ${asker.plugin.type} provider has no trees`)
  const included = include?.map(compileGlob)
  const excluded = exclude.map(compileGlob)
  const attributes = attributesOf(file, options.owners)
  const prefix = file.path === '.' ? '' : `${file.path}/`
  const source = `${reference.provider}://${reference.path === '' ? '' : `${reference.path}/`}`
  return {
    title: file.path,
    evaluate({ questioning }) {
      const answer = questioning.ask(question, asker.name, [reference.path])
      if (!(answer instanceof Tree)) return { files: [], items: [] }
      const files: OutputFile[] = []
      const items: Item[] = []
      for (const [path, treeFile] of answer.files) {
        if (!isSelected(path, included, excluded)) continue
        const { mode = FILE_MODE } = treeFile
        const output = { ...attributes, mode: file.mode ?? mode }
        if (render === undefined || !isTemplate(path)) {
          files.push({ ...output, path: prefix + path, content: treeFile.content })
          continue
        }
        const target = path.slice(0, -ENDING.length)
        if (answer.files.has(target) && isSelected(target, included, excluded)) throw twice(path, target)
        const { functions, bounds = {}, parse = parseTemplate } = options
        const template = { name: source + path, functions, ...render }
        items.push(
          new TreeItem(prefix + path, treeFile, { ...output, path: prefix + target }, { template, bounds, parse }),
        )
      }
      return { files, items }
    },
  }
}

function isSelected(path: string, included: readonly Glob[] | undefined, excluded: readonly Glob[]): boolean {
  return included?.some(glob => glob(path)) !== false && !excluded.some(glob => glob(path))
}

/** A file of no name but the ending is an ordinary one. */
function isTemplate(path: string): boolean {
  return path.endsWith(ENDING) && !path.endsWith(`/${ENDING}`) && path !== ENDING
}

function twice(path: string, target: string): OperationalError {
  const [one, other] = [JSON.stringify(target), JSON.stringify(path)]
  return new OperationalError('twice', `two files of the tree want to be ${one}: ${one} and ${other}`, {
    hint: 'exclude one of them',
  })
}

/** What is known of the output of a template before it is rendered. */
type Made = Omit<OutputFile, 'content'>

interface ItemOptions extends Required<Pick<RendererOptions, 'bounds' | 'parse'>> {
  readonly template: Omit<TemplateOptions<RenderContext>, 'text'>
}

/** A file of a tree that is a template. It is the same item, and not parsed again, as long as its bytes stay the same. */
class TreeItem implements Item {
  readonly title: string
  readonly #file: TreeFile
  readonly #made: Made
  readonly #options: ItemOptions
  #template: Template<RenderContext> | undefined

  constructor(title: string, file: TreeFile, made: Made, options: ItemOptions) {
    this.title = title
    this.#file = file
    this.#made = made
    this.#options = options
  }

  get key(): string {
    return this.title
  }

  sameAs(other: Item): boolean {
    if (!(other instanceof TreeItem) || this.#made.mode !== other.#made.mode) return false
    const [one, another] = [this.#file, other.#file]
    return one === another || Buffer.compare(one.content, another.content) === 0
  }

  evaluate(context: RenderContext): readonly OutputFile[] {
    const { content } = this.#file
    if (content.length > TEMPLATE_BYTES_MAX) {
      throw new Error(`a template of ${content.length} bytes, more than ${TEMPLATE_BYTES_MAX}`)
    }
    const { template, bounds, parse } = this.#options
    this.#template ??= parse({ ...template, text: fromBytes(content) })
    return [{ ...this.#made, content: toBytes(this.#template.execute(null, context, countedBounds(bounds, context))) }]
  }
}
