import { describe, expect, test } from 'vitest'
import { explanationText } from '../../cmd/explanation.ts'
import { toBytes } from '../../lib/base/text.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import type { ExplainedSegment } from '../../lib/render/explain.ts'

const reading: Reading = { value: 'v', revision: 'r1', observedAtMs: 0, sensitive: false }
const dependency = { provider: 'one', kind: 'value', path: 'a', params: {} }

function from(more: Partial<Reading> = {}) {
  return [{ dependency, path: 'a', field: ['k'], reading: { ...reading, ...more } }]
}

function show(text: string, segments: readonly Partial<ExplainedSegment>[]): readonly string[] {
  const whole = segments.map(segment => ({ bytes: 0, place: undefined, from: [], under: [], ...segment }))
  const options = { nowMs: 90_000, reveal: false, redact: (each: string) => each }
  return explanationText({ content: toBytes(text), segments: whole }, options).map(line => line.trimEnd())
}

describe('explanationText()', () => {
  test('says which field was read, at which revision, when, and that it is live', () => {
    expect(show('abc', [{ bytes: 3, from: from() }])).toEqual([
      '1: abc\n   one://a#k  revision r1, read 1m30s ago (1970-01-01T00:00:00.000Z), live',
    ])
  })

  test('says so when the reading is kept from an earlier run', () => {
    expect(show('abc', [{ bytes: 3, from: from({ lastKnownGood: true }) }])[0]).toMatch(/, last-known-good$/)
  })

  test('tells the text of a template from an action that asks no provider', () => {
    const place = (isText: boolean) => ({ template: 't', line: 1, column: 0, isText })
    expect(
      show('ab', [
        { bytes: 1, place: place(true) },
        { bytes: 1, place: place(false) },
      ]),
    ).toEqual(['1: ab\n   t:1:0  text of the template\n   t:1:0  an action that asks no provider'])
  })

  test('says so when the backend had nothing', () => {
    expect(show('abc', [{ bytes: 3, from: from({ value: absent }) }])[0]).toContain('one://a#k  absent, revision r1')
  })

  test('masks what a sensitive reading went into, and nothing beside it', () => {
    const segments = [{ bytes: 2 }, { bytes: 6, from: from({ sensitive: true }) }, { bytes: 1 }]

    expect(show('a=pw\npw2;', segments).map(line => line.split('\n')[0])).toEqual(['1: a=[secret]', '2: [secret];'])
  })

  test('shows no bytes that are no text, and nothing that a terminal would obey', () => {
    const content = '\udcff\udcfe\nred\u001b[31m\n'

    expect(show(content, [{ bytes: toBytes(content).length }]).map(line => line.split('\n')[0])).toEqual([
      '1: (3 bytes that are no text)',
      '2: red\ufffd[31m',
    ])
  })

  test('an empty file has no lines', () => {
    expect(show('', [])).toEqual([])
  })
})
