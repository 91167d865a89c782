import { formatDurationMs } from '../lib/base/duration.ts'
import { fromBytes } from '../lib/base/text.ts'
import { showDependency } from '../lib/dependency.ts'
import { absent } from '../lib/reading.ts'
import type { ExplainedSegment, Explanation, Provenance } from '../lib/render/explain.ts'

export interface ShowOptions {
  readonly nowMs: number
  /** Whether what shows sensitive readings is shown. */
  readonly reveal: boolean
  /** Masks what is known to be secret. */
  readonly redact: (text: string) => string
}

/** An explanation for people, a text for each line of the file: the line, and below it a row for each place and reading.
 *
 *  What a sensitive reading went into is masked as a whole, however it was changed on its way. */
export function explanationText({ content, segments }: Explanation, options: ShowOptions): readonly string[] {
  return linesOf(content, segments).map((parts, i) => {
    const shown = parts.map(part => partText(part, options)).join('')
    const number = `${i + 1}: `
    // Where there is more, nobody asks for the line break.
    const visible = parts.filter(({ bytes }) => parts.length === 1 || bytes.length > 1 || bytes[0] !== NEWLINE)
    const rows = new Set(visible.flatMap(({ segment }) => rowsOf(segment, options.nowMs)))
    const indent = ' '.repeat(number.length)
    return options.redact([`${number}${shown}`, ...[...rows].map(row => `${indent}${row}`), ''].join('\n'))
  })
}

/** The content of a file without what a sensitive reading went into, however it was changed on its way. */
export function maskedContent({ content, segments }: Explanation): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  for (const segment of segments) {
    const bytes = content.subarray(at, at + segment.bytes)
    parts.push(bytes.length > 0 && isSensitive(segment) ? Buffer.from(MASK) : bytes)
    at += segment.bytes
  }
  return Buffer.concat(parts)
}

const MASK = '[secret]'

function isSensitive({ from }: ExplainedSegment): boolean {
  return from.some(({ reading }) => reading.sensitive)
}

/** The part of a segment that is in one line. */
interface Part {
  readonly segment: ExplainedSegment
  readonly bytes: Uint8Array
}

const NEWLINE = 0x0a

/** Cuts segments where lines end. */
function linesOf(content: Uint8Array, segments: readonly ExplainedSegment[]): readonly (readonly Part[])[] {
  const lines: Part[][] = []
  let line: Part[] = []
  let at = 0
  for (const segment of segments) {
    const end = at + segment.bytes
    while (at < end) {
      const newline = content.indexOf(NEWLINE, at)
      const isLast = newline >= 0 && newline < end
      const next = isLast ? newline + 1 : end
      line.push({ segment, bytes: content.subarray(at, next) })
      at = next
      if (!isLast) continue
      lines.push(line)
      line = []
    }
  }
  return line.length > 0 ? [...lines, line] : lines
}

function partText({ segment, bytes }: Part, { reveal }: ShowOptions): string {
  const text = fromBytes(bytes).replace(/\n$/, '')
  if (!reveal && text !== '' && isSensitive(segment)) return MASK
  if (!text.isWellFormed()) return `(${bytes.length} bytes that are no text)`
  // eslint-disable-next-line no-control-regex -- a terminal would obey them
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '\ufffd')
}

function rowsOf({ place, from, under }: ExplainedSegment, nowMs: number): readonly string[] {
  const where = place === undefined ? '' : `${place.template}:${place.line}:${place.column}  `
  const isAction = place?.isText === false
  if (from.length + under.length === 0)
    return [`${where}${isAction ? 'an action that asks no provider' : 'text of the template'}`]
  const what = isAction ? 'action ' : 'text '
  // Where something is shown, it is plain what is decided over.
  const decided = `${where}${from.length > 0 ? '' : what}decided by `
  const deciding = under.filter(each => !from.some(other => covers(other, each) || covers(each, other)))
  return [
    ...from.map(each => where + provenanceText(each, nowMs)),
    ...deciding.map(each => decided + provenanceText(each, nowMs)),
  ]
}

/** Whether one is the other, or has it as a field. */
function covers(one: Provenance, other: Provenance): boolean {
  const isSame = one.dependency === other.dependency && one.path === other.path
  return isSame && one.field.every((key, i) => key === other.field[i])
}

function provenanceText({ dependency, path, field, reading }: Provenance, nowMs: number): string {
  const what = showDependency({ ...dependency, path }) + (field.length === 0 ? '' : `#${field.join('.')}`)
  const at = new Date(reading.observedAtMs).toISOString()
  const ago = formatDurationMs(Math.max(0, nowMs - reading.observedAtMs))
  const state = reading.lastKnownGood === true ? 'last-known-good' : 'live'
  const value = reading.value === absent ? 'absent, ' : ''
  return `${what}  ${value}revision ${reading.revision}, read ${ago} ago (${at}), ${state}`
}
