import type { NumberConstant } from './number.ts'
import { quote } from './quote.ts'

/** The tree of a template, as Go's parse package shapes it: errors show a node's source, and where it is. */

interface Common {
  /** Where in the text, in UTF-16 units. */
  readonly at: number
}

export interface ListNode extends Common {
  readonly kind: 'list'
  readonly nodes: readonly StatementNode[]
}

export type StatementNode = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode

export interface TextNode extends Common {
  readonly kind: 'text'
  readonly text: string
}

export interface ActionNode extends Common {
  readonly kind: 'action'
  readonly pipe: PipeNode
}

export interface BranchNode extends Common {
  readonly kind: 'if' | 'range' | 'with'
  readonly pipe: PipeNode
  readonly list: ListNode
  readonly elseList: ListNode | undefined
}

export interface TemplateNode extends Common {
  readonly kind: 'template'
  readonly name: string
  readonly pipe: PipeNode | undefined
}

export interface JumpNode extends Common {
  readonly kind: 'break' | 'continue'
}

export interface PipeNode extends Common {
  readonly kind: 'pipe'
  readonly isAssign: boolean
  readonly variables: readonly VariableNode[]
  readonly commands: readonly CommandNode[]
}

export interface CommandNode extends Common {
  readonly kind: 'command'
  /** The first is what is called or shown; at least one. */
  readonly words: readonly [OperandNode, ...OperandNode[]]
}

export type OperandNode =
  | BoolNode
  | ChainNode
  | DotNode
  | FieldNode
  | IdentifierNode
  | NilNode
  | NumberNode
  | PipeNode
  | StringNode
  | VariableNode

export interface BoolNode extends Common {
  readonly kind: 'bool'
  readonly value: boolean
}

export interface DotNode extends Common {
  readonly kind: 'dot'
}

export interface NilNode extends Common {
  readonly kind: 'nil'
}

export interface NumberNode extends Common {
  readonly kind: 'number'
  readonly text: string
  readonly value: NumberConstant
}

export interface StringNode extends Common {
  readonly kind: 'string'
  /** As in the source. */
  readonly quoted: string
  readonly value: string
}

/** `.a.b` */
export interface FieldNode extends Common {
  readonly kind: 'field'
  readonly names: readonly string[]
}

/** `$x.a.b`; the name with its `$`. */
export interface VariableNode extends Common {
  readonly kind: 'variable'
  readonly name: string
  readonly fields: readonly string[]
}

/** `(…).a.b`, `name.a.b` */
export interface ChainNode extends Common {
  readonly kind: 'chain'
  readonly node: OperandNode
  readonly fields: readonly string[]
}

/** A function. */
export interface IdentifierNode extends Common {
  readonly kind: 'identifier'
  readonly name: string
}

export type Node = ListNode | StatementNode | CommandNode | OperandNode

/** A node as source again, to the letter as Go's `String` methods do. */
export function sourceOf(node: Node): string {
  switch (node.kind) {
    case 'list':
      return node.nodes.map(sourceOf).join('')
    case 'text':
      return node.text
    case 'action':
      return `{{${sourceOf(node.pipe)}}}`
    case 'if':
    case 'range':
    case 'with':
      return branchSource(node)
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe === undefined ? '' : ` ${sourceOf(node.pipe)}`}}}`
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`
    case 'pipe':
      return pipeSource(node)
    case 'command':
      return node.words.map(inParentheses).join(' ')
    case 'bool':
      return String(node.value)
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'number':
      return node.text
    case 'string':
      return node.quoted
    case 'field':
      return node.names.map(name => `.${name}`).join('')
    case 'variable':
      return [node.name, ...node.fields].join('.')
    case 'chain':
      return [inParentheses(node.node), ...node.fields].join('.')
    case 'identifier':
      return node.name
  }
}

function branchSource({ kind, pipe, list, elseList }: BranchNode): string {
  const otherwise = elseList === undefined ? '' : `{{else}}${sourceOf(elseList)}`
  return `{{${kind} ${sourceOf(pipe)}}}${sourceOf(list)}${otherwise}{{end}}`
}

function pipeSource({ isAssign, variables, commands }: PipeNode): string {
  const value = commands.map(sourceOf).join(' | ')
  return variables.length === 0 ? value : `${variables.map(sourceOf).join(', ')} ${isAssign ? '=' : ':='} ${value}`
}

function inParentheses(node: OperandNode): string {
  return node.kind === 'pipe' ? `(${sourceOf(node)})` : sourceOf(node)
}
