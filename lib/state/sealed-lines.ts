/** The file of sealed readings is made of lines, so that what is damaged takes nothing else with it, and a line that was cut off is
 *  known as such. Each begins with a line break as well as ending with one: it can follow half a line.
 *
 *      NAME MARK BASE64      a record: what it is of, of which reading, and that reading, sealed
 *      NAME -                what was kept under this name is taken back
 *
 *  Of several lines with one name, the last counts. */
export interface SealedLine {
  readonly name: string
  readonly mark: string
  /** With its line breaks. */
  readonly bytes: Buffer
}

export interface SealedLines {
  /** The records that count, by name. */
  readonly lines: ReadonlyMap<string, SealedLine>
  /** How many lines are none. */
  readonly damaged: number
  /** Whether the last line was cut off. */
  readonly isTorn: boolean
}

export const NAME_LENGTH = 32
export const MARK_LENGTH = 16
const HEAD_LENGTH = NAME_LENGTH + 1 + MARK_LENGTH + 1
const HEAD = new RegExp(`^([0-9a-f]{${NAME_LENGTH}}) (?:([0-9a-f]{${MARK_LENGTH}}) |-$)`)
const LINE_BREAK = 0x0a

export function recordLine(name: string, mark: string, sealed: Buffer): string {
  return `\n${name} ${mark} ${sealed.toString('base64')}\n`
}

export function takenBackLine(name: string): string {
  return `\n${name} -\n`
}

export function readSealedLines(content: Uint8Array): SealedLines {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  const lines = new Map<string, SealedLine>()
  let [at, damaged] = [0, 0]
  for (let end = bytes.indexOf(LINE_BREAK); end !== -1; end = bytes.indexOf(LINE_BREAK, at)) {
    const [, name, mark] = HEAD.exec(bytes.toString('latin1', at, Math.min(end, at + HEAD_LENGTH))) ?? []
    if (name === undefined) damaged += end > at ? 1 : 0
    else if (mark === undefined) lines.delete(name)
    else lines.set(name, { name, mark, bytes: bytes.subarray(Math.max(0, at - 1), end + 1) })
    at = end + 1
  }
  return { lines, damaged, isTorn: at < bytes.length }
}

/** What a record holds, as it was sealed. */
export function sealedIn({ bytes }: SealedLine): Buffer {
  return Buffer.from(bytes.toString('latin1', 1 + HEAD_LENGTH, bytes.length - 1), 'base64')
}
