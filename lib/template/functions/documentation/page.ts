import type { TemplateFunction } from '../../function.ts'
import { standardFunctions, type Environment } from '../standard.ts'
import type { Documented, Section } from './section.ts'
import { texts } from './texts.ts'
import { values } from './values.ts'
import { world } from './world.ts'

export const sections: readonly Section[] = [...texts, ...values, ...world]

const INTRODUCTION = `# Template functions

<!-- Made by \`node cmd/build/functions.ts\`, from the table of functions and what is said of each in \`documentation/\`. -->

The functions that every template has, beside Go's own (\`and\`, \`or\`, \`not\`, \`eq\`, \`ne\`, \`lt\`, \`le\`, \`gt\`, \`ge\`, \`len\`, \`index\`, \`slice\`, \`print\`,
\`printf\`, \`println\`, \`html\`, \`js\`, \`urlquery\`, \`call\`) and those that ask a provider. They are those of consul-template and of sprig, and give what they
give there, byte for byte; the few differences on purpose are listed in \`test/template/function-parity/DIFFERENCES.md\`. Every example is a test.

In a signature, words in capitals are arguments, \`…\` stands for any number, and \`[…]\` may be left out.

## Keys that may be absent

A key that a map does not have is an error, with \`missingKey: error\`. Where it may be absent, ask so:

- \`{{index . "none" | default "x"}}\` or \`{{get . "none" | default "x"}}\`: the value, or another one
- \`{{dig "deep" "none" "x" .}}\`: the same through maps in maps
- \`{{if hasKey . "none"}}{{.none}}{{else}}x{{end}}\`: whether it is there
- \`{{with index . "none"}}{{.}}{{else}}x{{end}}\`: as \`.\`, where it is there and not empty
- \`{{.none | default "x"}}\`: as in consul-template, with \`missingKey: default\`
`

/** The page about all functions, as Markdown. */
export function documentationPage(): string {
  const table = standardFunctions<Environment>()
  const parts = sections.map(section => sectionText(section, table))
  return [INTRODUCTION, ...parts, refusalsText(refusals(table))].join('\n')
}

function sectionText({ title, introduction, functions }: Section, table: Table): string {
  const head = introduction === undefined ? '' : `${introduction}\n\n`
  return `## ${title}\n\n${head}${functions.map(each => functionText(each, table)).join('\n')}`
}

type Table = ReadonlyMap<string, TemplateFunction<Environment>>

function functionText({ names, summary, template, output }: Documented, table: Table): string {
  const [name = '', ...others] = names
  const also = others.length === 0 ? '' : ` Also ${others.map(other => `\`${other}\``).join(', ')}.`
  const example = `${template}${output}`.includes('\n')
    ? `${code(template)}\n\ngives\n\n${code(output)}`
    : code(`${template}  →  ${output}`)
  return `### \`${table.get(name)?.signature ?? name}\`\n\n${summary}${also}\n\n${example}\n`
}

function code(text: string): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map(line => `    ${line}`)
    .join('\n')
}

/** The functions that are only there to say why they are not, each with its words. */
export function refusals(table: Table): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  for (const { name, unavailable } of table.values()) {
    const isKnown = name.startsWith('sprig_') && table.has(name.slice('sprig_'.length))
    if (unavailable !== undefined && !isKnown) words.set(name, `${unavailable.reason}; ${unavailable.hint}`)
  }
  return words
}

function refusalsText(words: ReadonlyMap<string, string>): string {
  const rows = [...words].map(([name, text]) => `- \`${name}\`: ${text}`)
  return `## Left out on purpose\n\nA template that names one of these does not parse, and the error says what to use instead. Nor does one that names a function of a provider\nthat is not configured.\n\n${rows.join('\n')}\n`
}
