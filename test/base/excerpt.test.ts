import { expect, test } from 'vitest'
import { excerpt, lastLine, lastLines } from '../../lib/base/excerpt.ts'

test('excerpt() is one plain line', () => {
  expect(excerpt('  a\tb\r\n\r\n c\u0000d \u001b[1;31mred\u001b[0m\u2028e \n', 100)).toBe('a b c d red e')
})

test('excerpt() is cut where it is too long, and not within a character', () => {
  expect(excerpt('abcdef', 6)).toBe('abcdef')
  expect(excerpt('abcdefg', 6)).toBe('abcde…')
  expect(excerpt('abcd😀😀', 6)).toBe('abcd…')
})

test('lastLine() is the last line that says something', () => {
  expect(lastLine('first\nthe last\r\n  \n\n', 100)).toBe('the last')
  expect(lastLine(' \n', 100)).toBe('')
})

test('lastLine() of progress that overwrites itself is its last state', () => {
  expect(lastLine('10%\r50%\r100%, done', 100)).toBe('100%, done')
})

test('lastLines() are as many whole lines as there is room for', () => {
  const text = 'one\ntwo\n\nthree\nfour\n'

  expect(lastLines(text, { linesMax: 9, charactersMax: 100 })).toBe('one\ntwo\nthree\nfour')
  expect(lastLines(text, { linesMax: 2, charactersMax: 100 })).toBe('three\nfour')
  expect(lastLines(text, { linesMax: 9, charactersMax: 14 })).toBe('two\nthree\nfour')
  expect(lastLines(text, { linesMax: 9, charactersMax: 13 })).toBe('three\nfour')
})

test('lastLines() cuts the very last line where it is too long by itself', () => {
  expect(lastLines('before\nmuch too long', { linesMax: 9, charactersMax: 8 })).toBe('much to…')
})
