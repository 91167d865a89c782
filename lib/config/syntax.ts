import { isMap, isScalar, isSeq, type Document } from '../base/yaml.ts'
import type { Finding } from './finding.ts'

/** What is wrong with the text before it means anything, in the order of the text. The parser's own messages may quote the text,
 *  which may hold a credential, so they are not passed on. */
export function syntaxFindings({ errors, contents }: Document.Parsed): readonly Finding[] {
  return errors
    .map(({ code, message, pos }) => {
      const hint = HINTS[code]
      const at = message.startsWith('Missing closing') ? openingQuote(contents, pos[0]) : pos[0]
      const finding = { path: [], at, message: `want YAML, got ${wordsFor(code, message)}` }
      return hint === undefined ? finding : { ...finding, hint }
    })
    .toSorted((a, b) => a.at - b.at)
}

/** Where the quote is that was never closed: the parser points at the end of what it took for the string. */
function openingQuote(node: unknown, end: number): number {
  if (isMap(node)) {
    const starts = node.items.flatMap(({ key, value }) => [openingQuote(key, end), openingQuote(value, end)])
    return Math.min(...starts, end)
  }
  if (isSeq(node)) return Math.min(...node.items.map(item => openingQuote(item, end)), end)
  if (!isScalar(node) || node.range === undefined || node.range === null) return end
  return node.range[1] === end && node.type?.startsWith('QUOTE') === true ? node.range[0] : end
}

/** Tags that we do not know, and versions of YAML whose words mean something else. */
export function directiveFindings({ directives, warnings }: Document.Parsed): readonly Finding[] {
  const findings: Finding[] = warnings
    .filter(({ code }) => code === 'TAG_RESOLVE_FAILED' || code === 'BAD_COLLECTION_TYPE')
    .map(({ pos }) => ({
      path: [],
      at: pos[0],
      message: 'want YAML without tags of its own, got one that is not known',
      hint: 'remove the tag; text in quotes is a string, all else is what it looks like',
    }))
  if (directives?.yaml.explicit === true && directives.yaml.version !== '1.2') {
    findings.push({ path: [], at: 0, message: 'want YAML 1.2, got another version', hint: 'remove the %YAML line' })
  }
  return findings
}

/** What some of the parser's messages mean; the code alone says little of them. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^Missing closing ["']/, 'a string without its closing quote'],
  [/^Missing , /, 'two items without a comma between them'],
  [/^Missing space after :/, 'a colon without a space after it'],
  [/^Unexpected scalar at node end/, 'more text after the end of a value'],
  [/^Unexpected , /, 'a comma too many'],
  [/^Unexpected empty item/, 'nothing between two commas'],
  [/^Implicit map keys need to be followed/, 'a key without a colon'],
  [/^Nested mappings are not allowed/, 'a second colon in one line, or a wrong indentation'],
  [/^All mapping items must start/, 'a key that does not begin in the column of its neighbours'],
  [/^All sequence items must start/, 'an item that does not begin in the column of its neighbours'],
  [/^Sequence item without - /, 'an item without its dash'],
  [/^Flow (?:map|sequence) in block collection/, 'an opening bracket without its closing one, or a wrong indentation'],
  [/^Flow map must end|^Expected flow map to end/, 'a { without its }'],
  [/^Flow sequence must end|^Expected flow sequence to end/, 'a [ without its ]'],
  [/^Comments must be separated/, 'a # without a space before it'],
  [/^Missing directives-end/, 'a % at the beginning of a line'],
]

const WORDS: Readonly<Partial<Record<string, string>>> = {
  ALIAS_PROPS: 'an alias with a tag or an anchor of its own',
  BAD_ALIAS: 'an alias or anchor without a proper name',
  BAD_COLLECTION_TYPE: 'a tag that does not fit its value',
  BAD_DIRECTIVE: 'a directive that is not known',
  BAD_DQ_ESCAPE: 'an unknown escape sequence between double quotes',
  BAD_INDENT: 'a wrong indentation',
  BAD_PROP_ORDER: 'an anchor or tag in the wrong place',
  BAD_SCALAR_START: 'a value that begins with a reserved character',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping where only a value can be',
  BLOCK_IN_FLOW: 'indented lines between brackets',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR: 'a place where a character is missing',
  MULTILINE_IMPLICIT_KEY: 'a key of more than one line, or a missing colon',
  MULTIPLE_ANCHORS: 'two anchors in one place',
  MULTIPLE_DOCS: 'more than one document',
  MULTIPLE_TAGS: 'two tags in one place',
  NON_STRING_KEY: 'a key that is not a string',
  RESOURCE_EXHAUSTION: 'too many levels',
  TAB_AS_INDENT: 'a tab as indentation',
  TAG_RESOLVE_FAILED: 'a tag that is not supported',
  UNEXPECTED_TOKEN: 'something unexpected',
}

const HINTS: Readonly<Partial<Record<string, string>>> = {
  BAD_DQ_ESCAPE: 'between single quotes a backslash stands for itself',
  BAD_SCALAR_START: 'put the value in quotes',
  NON_STRING_KEY: 'put a value that begins with { in quotes, as in content: "{{ … }}"',
  MULTIPLE_DOCS: 'remove the --- line, or split the file',
  MULTILINE_IMPLICIT_KEY: 'look for a missing colon, or a missing space after one',
  TAB_AS_INDENT: 'indent with spaces',
  TAG_RESOLVE_FAILED: 'remove the tag',
}

function wordsFor(code: string, message: string): string {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(message))
  return meaning?.[1] ?? WORDS[code] ?? 'something else'
}
