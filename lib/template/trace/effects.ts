import type { FunctionTable } from '../function.ts'
import type { BranchNode, Node } from '../nodes.ts'
import type { TemplateSet } from '../parser.ts'

/** What performing some nodes may do beside writing, as far as one can see without performing them. What did not happen
 *  because of a condition tells of the condition as much as what did. */
export interface Effects {
  /** The names of the variables that may get another value. */
  readonly assigned: ReadonlySet<string>
  /** Whether the range around may be ended, or a turn of it. */
  readonly jumps: boolean
  /** Whether something that lives on may be changed: a map, the scratch, what is left in a channel. A template that is called may
   *  do so, too. */
  readonly changes: boolean
}

/** What the branches of a statement, or the words of an expression, may do. */
export function effectsOf(nodes: readonly Node[], functions: FunctionTable<never>): Effects {
  const assigned = new Set<string>()
  let jumps = false
  let changes = false
  for (const node of nodes) {
    walk(node, (found, isInRange) => {
      if (found.kind === 'pipe' && found.isAssign) for (const { name } of found.variables) assigned.add(name)
      if (found.kind === 'break' || found.kind === 'continue') jumps ||= !isInRange
      changes ||= mayChange(found, functions)
    })
  }
  return { assigned, jumps, changes }
}

/** Whether a set of templates can change anything that lives on. Where it cannot, nothing needs to be assumed of it. */
export function canChange(set: TemplateSet, functions: FunctionTable<never>): boolean {
  let found = false
  for (const list of set.values()) walk(list, node => (found ||= isChanging(node, functions)))
  return found
}

function mayChange(node: Node, functions: FunctionTable<never>): boolean {
  return node.kind === 'template' || node.kind === 'range' || runsTemplates(node) || isChanging(node, functions)
}

function runsTemplates(node: Node): boolean {
  return node.kind === 'identifier' && node.name === 'executeTemplate'
}

function isChanging(node: Node, functions: FunctionTable<never>): boolean {
  if (node.kind !== 'identifier') return false
  const own = functions.get(node.name)
  return own?.changesMaps === true || own?.givesChannel === true
}

/** Visits a node and all below it; `isInRange` tells whether a range that is visited, too, has it in its turns. */
function walk(node: Node, visit: (node: Node, isInRange: boolean) => void, isInRange = false): void {
  visit(node, isInRange)
  for (const child of childrenOf(node)) {
    const isTurn = node.kind === 'range' && child === node.list
    walk(child, visit, isInRange || isTurn)
  }
}

function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'list':
      return node.nodes
    case 'action':
      return [node.pipe]
    case 'if':
    case 'range':
    case 'with':
      return branchesOf(node)
    case 'template':
      return node.pipe === undefined ? [] : [node.pipe]
    case 'pipe':
      return node.commands
    case 'command':
      return node.words
    case 'chain':
      return [node.node]
    default:
      return []
  }
}

function branchesOf({ pipe, list, elseList }: BranchNode): readonly Node[] {
  return elseList === undefined ? [pipe, list] : [pipe, list, elseList]
}
