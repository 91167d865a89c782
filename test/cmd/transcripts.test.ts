import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

// A transcript is what a person would see, with its fixtures inside:
//
//     $ outrigger VERB …        a command, run in a scratch directory that holds the fixtures
//     text                      what it prints to stdout
//     ! text                    what it prints to stderr
//     exit 2                    how it ends, where that is not 0
//
//     -- NAME --                a fixture, to the next such line or the end
//
// Lines that begin with # before the first command say what is shown. `…` stands for anything within a line.

const home = join(import.meta.dirname, 'transcripts')

describe.each(readdirSync(home).filter(name => name.endsWith('.txt')))('%s', name => {
  const { commands, fixtures } = parse(readFileSync(join(home, name), 'utf8'))

  test('prints and ends as written', async () => {
    const directory = scratch()
    for (const [path, text] of fixtures) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    for (const { line, expected, exit } of commands) {
      const { code, stdout, stderr } = await runBuilt(argumentsOf(line), { directory })
      const said = [...linesOf(stdout), ...linesOf(stderr).map(text => `! ${text}`)].map(text =>
        text.replaceAll(directory, '$DIRECTORY'),
      )

      expect({ line, said: said.map((text, i) => (matches(text, expected[i]) ? expected[i] : text)) }).toEqual({
        line,
        said: expected,
      })
      expect({ line, code }).toEqual({ line, code: exit })
    }
  })

  test.runIf(name === 'help.txt')('keeps within 80 columns', () => {
    for (const { expected } of commands) expect(expected.filter(text => text.length > 80)).toEqual([])
  })
})

interface Command {
  readonly line: string
  readonly expected: string[]
  exit: number
}

function parse(text: string): { commands: readonly Command[]; fixtures: ReadonlyMap<string, string> } {
  const [script = '', ...parts] = text.split(/^-- (.+) --\n/m)
  const fixtures = new Map<string, string>()
  for (let i = 0; i < parts.length; i += 2) fixtures.set(parts[i] as string, parts[i + 1] as string)
  const commands: Command[] = []
  for (const line of script.trimEnd().split('\n')) {
    const command = commands.at(-1)
    const exit = /^exit (\d+)$/.exec(line)?.[1]
    if (line.startsWith('$ outrigger'))
      commands.push({ line: line.slice('$ outrigger'.length).trim(), expected: [], exit: 0 })
    else if (command === undefined) continue
    else if (exit === undefined) command.expected.push(line)
    else command.exit = Number(exit)
  }
  for (const { expected } of commands) while (expected.at(-1) === '') expected.pop()
  return { commands, fixtures }
}

function argumentsOf(line: string): readonly string[] {
  return line.split(/\s+/).filter(word => word !== '')
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  while (lines.at(-1) === '') lines.pop()
  return lines
}

function matches(text: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return false
  return new RegExp(
    `^${pattern
      .split('…')
      .map(part => RegExp.escape(part))
      .join('.*')}$`,
  ).test(text)
}
