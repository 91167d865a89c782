import { crc32 } from './crc32.ts'
import type { Entry } from './recover.ts'

/** An entry, and when it was written, in milliseconds since 1970. */
export interface JournalRecord {
  readonly atMs: number
  readonly entry: Entry
}

/** The journal's first record: what wrote it. A later format has a greater number. */
export const VERSION = 1

/** The journal's format: one JSON object a line, `{"crc":"8 hex digits","record":…}`, where the CRC-32 is that of the bytes of
 *  `record` as they stand there. A line is never split and never empty. */
export function encodeLine(record: JournalRecord | { readonly version: number }): string {
  const json = JSON.stringify(record)
  return `{"crc":"${checksum(json)}","record":${json}}\n`
}

const LINE = /^\{"crc":"([0-9a-f]{8})","record":(.*)\}$/

export type Line =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'record'; readonly record: JournalRecord }
  | { readonly kind: 'damaged'; readonly problem: string }

/** Reads a line, given without its newline. */
export function decodeLine(line: string): Line {
  const [, crc, json = ''] = LINE.exec(line) ?? []
  if (crc === undefined) return { kind: 'damaged', problem: 'it is not a record' }
  if (crc !== checksum(json)) return { kind: 'damaged', problem: 'its checksum differs' }
  const value = parse(json)
  if (!isObject(value)) return { kind: 'damaged', problem: 'it is not a record' }
  if (typeof value.version === 'number') return { kind: 'version', version: value.version }
  if (typeof value.atMs === 'number' && isEntry(value.entry)) {
    return { kind: 'record', record: { atMs: value.atMs, entry: value.entry } }
  }
  return { kind: 'damaged', problem: 'it is not an entry that is known here' }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value) || !isNumber(value.generation)) return false
  switch (value.kind) {
    case 'intended':
      return (
        typeof value.digest === 'string' &&
        isStrings(value.hooks) &&
        isStrings(value.changed) &&
        (value.restores === undefined || isNumber(value.restores))
      )
    case 'delivered':
      return typeof value.hook === 'string'
    case 'confirmed':
      return true
    case 'condemned':
      return typeof value.digest === 'string' && typeof value.why === 'string'
    default:
      return false
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}
