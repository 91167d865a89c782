import { parseSync } from 'oxc-parser'

/** A tree of files: the text of each by its path, `/` between the parts. */
export type Tree = ReadonlyMap<string, string>

/** What one source file does that a rule of the architecture looks at. */
export interface Source {
  readonly path: string
  readonly imports: readonly Import[]
  /** The globals it uses, with their first property: `process.exit`, `console.log`, `fetch`. */
  readonly globals: ReadonlySet<string>
  readonly lines: number
}

export interface Import {
  /** As it is written: `./clock.ts`, `node:fs`, `valibot`. */
  readonly specifier: string
  /** Whether it is gone when the types are. */
  readonly typeOnly: boolean
}

/** Reads one file of TypeScript or JavaScript. */
export function readSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0]?.message}`)
  const imports: Import[] = []
  const globals = new Set<string>()
  walk(program as unknown as Node, node => {
    const found = importOf(node)
    if (found !== undefined) imports.push(found)
    const name = nameOf(node)
    if (name !== undefined) globals.add(name)
  })
  return { path, imports, globals, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }
}

interface Node {
  readonly type: string
  readonly [key: string]: unknown
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node)
  for (const child of Object.values(node)) {
    for (const item of Array.isArray(child) ? child : [child]) if (isNode(item)) walk(item, visit)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

const MODULE_NODES: ReadonlySet<string> = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function importOf(node: Node): Import | undefined {
  if (!MODULE_NODES.has(node.type) || !isNode(node['source'])) return undefined
  const specifier = node['source']['value']
  // A module that is named by an expression could be any.
  if (typeof specifier !== 'string') return { specifier: '*', typeOnly: false }
  const typeOnly = node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type'
  return { specifier, typeOnly }
}

/** `process.exit` for that member of that identifier, else the name that is called or constructed. */
function nameOf(node: Node): string | undefined {
  if (node.type === 'MemberExpression' && node['computed'] !== true) {
    const object = identifier(node['object'])
    const property = identifier(node['property'])
    return object === undefined || property === undefined ? undefined : `${object}.${property}`
  }
  if (node.type === 'CallExpression' || node.type === 'NewExpression') return identifier(node['callee'])
  return undefined
}

function identifier(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' ? (node['name'] as string) : undefined
}
