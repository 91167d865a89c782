import { stripVTControlCharacters } from 'node:util'

/** What others wrote (a program's output, a server's answer) as a part of one of our messages. */

/** The text on one line: control characters, escape sequences of terminals and line breaks become spaces; cut after
 *  `charactersMax` with `…`. Mask secrets before, so that a cut cannot leave half of one. */
export function excerpt(text: string, charactersMax: number): string {
  return cut(plain(text).replaceAll(/\s+/g, ' ').trim(), charactersMax)
}

/** The last line that says something, cut after `charactersMax`. */
export function lastLine(text: string, charactersMax: number): string {
  return lastLines(text, { linesMax: 1, charactersMax })
}

/** The last lines that say something: `linesMax` at most, and as many whole ones as fit into `charactersMax`. The very last
 *  is cut where it is too long by itself. */
export function lastLines(text: string, { linesMax, charactersMax }: LinesBound): string {
  const kept: string[] = []
  let room = charactersMax
  for (const line of linesOf(text).slice(-linesMax).toReversed()) {
    if (kept.length > 0 && line.length > room) break
    kept.unshift(cut(line, room))
    room -= line.length + 1
  }
  return kept.join('\n')
}

export interface LinesBound {
  readonly linesMax: number
  readonly charactersMax: number
}

function linesOf(text: string): readonly string[] {
  return plain(text)
    .split('\n')
    .map(line => line.trimEnd())
    .filter(line => line !== '')
}

function plain(text: string): string {
  return stripVTControlCharacters(text.replaceAll(/\r\n?/g, '\n')).replaceAll(CONTROLS_BUT_LINE_BREAKS, ' ')
}

const CONTROLS_BUT_LINE_BREAKS = /(?!\n)[\p{Cc}\u2028\u2029]/gu

function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  // A cut between the halves of a surrogate pair would leave text that is not well-formed.
  return `${text.slice(0, Math.max(0, charactersMax - 1)).replace(/[\ud800-\udbff]$/, '')}…`
}
