import { OperationalError } from '../../errors.ts'

/** A value that a format cannot hold. Its message names the key, never the value. */
export class Refusal extends OperationalError {
  constructor(message: string, hint: string) {
    super('invalid-output', message, { hint })
  }
}

/** What to do with a value that stands in the way of the others. */
export const ELSEWHERE = 'leave the key out with except, or publish it in a file of its own: "…#KEY" with format: raw'

/** How much of a name is shown. */
const SHOWN_LENGTH = 64

/** A key for people. */
export function shownKey(key: string): string {
  const text = key.toWellFormed()
  return JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text)
}

/** Throws a Refusal where a text is bytes that are no UTF-8. */
export function checkText(key: string, text: string, format: string): void {
  if (text.isWellFormed()) return
  throw new Refusal(`${placeOf(key)} is not UTF-8 text, and ${format} holds no other bytes`, ELSEWHERE)
}

/** The subject of a sentence about a value. */
export function placeOf(key: string): string {
  return key === '' ? 'the value' : `the value of ${shownKey(key)}`
}
