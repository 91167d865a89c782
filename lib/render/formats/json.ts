import { Float } from '../../base/value.ts'
import { printJson } from '../../template/functions/print-json.ts'
import { checkAllText, eachPlace, type Plain } from './plain.ts'
import { ELSEWHERE, placeOf, Refusal } from './refusal.ts'

/** A value as JSON over several lines. Throws a Refusal on bytes that are no text, and on numbers that JSON has not. */
export function encodeJson(value: Plain): string {
  return `${checkedJson(value, { format: 'JSON', place: '', isPretty: true })}\n`
}

/** What is at `place` as one line of JSON, which is how a flat format holds a structure. */
export function jsonLine(value: Plain, place: string, format: string): string {
  return checkedJson(value, { format, place, isPretty: false })
}

interface Printing {
  /** What it is for, in messages. */
  readonly format: string
  readonly place: string
  readonly isPretty: boolean
}

function checkedJson(value: Plain, { format, place: above, isPretty }: Printing): string {
  checkAllText(value, format, above)
  eachPlace(
    value,
    (place, item) => {
      if (!(item instanceof Float) || Number.isFinite(item.value)) return
      throw new Refusal(`${placeOf(place)} is no finite number, and JSON has no other`, ELSEWHERE)
    },
    above,
  )
  return printJson(value, { isPretty, escapesHtml: false })
}
