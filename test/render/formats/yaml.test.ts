import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import { Uint } from '../../../lib/base/value.ts'
import { parseDocument } from '../../../lib/base/yaml.ts'
import { pythonReader } from './readers.ts'
import { encoded, expectSurvival, refused } from './values.ts'

const yaml = { name: 'yaml' } as const

describe('a YAML file', () => {
  test('is printed as Go does, and ends with a line break', () => {
    expect(encoded({ b: [1, {}], a: 'x y', n: 'yes' }, yaml)).toBe('a: x y\nb:\n- 1\n- {}\n"n": "yes"\n')
    expect(encoded({ a: 9007199254740993n, b: new Uint(2n ** 64n - 1n) }, yaml)).toBe(
      'a: 9007199254740993\nb: 18446744073709551615\n',
    )
    expect(encoded('a', yaml)).toBe('a\n')
  })

  test('has bytes that are no text as !!binary, but not in keys', () => {
    const bytes = fromBytes(Buffer.from([0xff, 0]))
    expect(encoded({ a: bytes }, yaml)).toBe('a: !!binary /wA=\n')
    expect(refused({ a: { [bytes]: 1 } }, yaml).message).toMatch(/is not UTF-8 text, and a key of YAML/)
  })

  test('of any map is read by the yaml package as it was', async () => {
    const read = (bytes: Uint8Array): unknown => parseDocument(Buffer.from(bytes).toString()).toJS()
    await expectSurvival(read, yaml, { runs: 1_000 })
  })

  test('of any map is read by PyYAML as it was', async context => {
    const read = await pythonReader('yaml', context)
    expect(await read(Buffer.from(encoded({ a: fromBytes(Buffer.from([0xff, 0])) }, yaml)))).toEqual({
      a: { base64: '/wA=' },
    })
    await expectSurvival(read, yaml)
  }, 60_000)
})
