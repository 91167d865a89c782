import { describe, expect, test } from 'vitest'
import type { OutputFile } from '../../lib/generation.ts'
import { assemble } from '../../lib/render/assemble.ts'

const key = Buffer.from('key')

function file(path: string, content = path, more: Partial<OutputFile> = {}): OutputFile {
  return { path, content: Buffer.from(content), mode: 0o600, ...more }
}

function assembled(...files: OutputFile[]) {
  return assemble(
    'web',
    files.map(one => ({ title: one.path, files: [one] })),
    key,
  )
}

function digest(...files: OutputFile[]): string {
  const result = assembled(...files)
  if ('problem' in result) throw new Error(result.problem.message)
  return result.contents.digest
}

describe('the digest', () => {
  test('is the same for the same files in any order', () => {
    expect(digest(file('a'), file('b'))).toBe(digest(file('b'), file('a')))
  })

  test.each<[string, OutputFile]>([
    ['path', file('b', 'a')],
    ['content', file('a', 'other')],
    ['mode', file('a', 'a', { mode: 0o640 })],
    ['owner', file('a', 'a', { uid: 7 })],
    ['group', file('a', 'a', { gid: 7 })],
  ])('differs when the %s differs', (_, other) => {
    expect(digest(other)).not.toBe(digest(file('a')))
  })

  test('differs under another key, so a short value cannot be guessed from it', () => {
    const parts = [{ title: 'a', files: [file('a')] }]
    expect(assemble('web', parts, Buffer.from('other'))).not.toEqual(assemble('web', parts, key))
  })

  test('does not let one file flow into the next', () => {
    expect(digest(file('a', 'xb'), file('b', ''))).not.toBe(digest(file('a', 'x'), file('b', 'b')))
  })
})

describe('what cannot be one generation', () => {
  test('two outputs of one name are refused, naming both', () => {
    const result = assemble(
      'web',
      [
        { title: 'first', files: [file('dir/a')] },
        { title: 'second', files: [file('dir/a')] },
      ],
      key,
    )
    expect(result).toMatchObject({
      problem: { message: expect.stringMatching(/"dir\/a".*"first" and "second"/) as string },
    })
  })

  test('an output below another is refused, naming both', () => {
    expect(assembled(file('a'), file('a/b/c'))).toMatchObject({
      problem: { message: expect.stringMatching(/"a".*"a\/b\/c"|"a\/b\/c".*"a"/) as string },
    })
  })

  test.each(['../up', 'a/../b', 'a//b', './a', '..data', '..g1/x', 'a\0b', ''])('the path %j is refused', path => {
    expect(assembled(file(path))).toHaveProperty('problem')
  })

  test.each(['a', 'a..b', 'a/..b', '.hidden', '/etc/app.conf'])('the path %j is taken', path => {
    expect(assembled(file(path))).toHaveProperty('contents')
  })
})
