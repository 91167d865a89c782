import { describe, expect, test } from 'vitest'
import { Float } from '../../lib/base/value.ts'
import { parseByExtension } from '../../lib/render/parse.ts'

describe('parseByExtension()', () => {
  test.each([
    ['a.json', '{"port": 8080, "big": 9007199254740993, "ratio": 0.5}'],
    ['dir.d/a.YAML', 'port: 8080\nbig: 9007199254740993\nratio: 0.5\n'],
    ['a.yml', '{port: 8080, big: 9007199254740993, ratio: 0.5}'],
    ['a.toml', 'port = 8080\nbig = 9007199254740993\nratio = 0.5\n'],
  ])('reads %s without losing a digit', (path, text) => {
    expect(parseByExtension(path, text)).toEqual(
      new Map<string, unknown>([
        ['port', 8080],
        ['big', 9007199254740993n],
        ['ratio', new Float(0.5)],
      ]),
    )
  })

  test.each(['a', 'a.txt', 'json', 'dir.json/a', 'a.constructor'])('says which extensions it knows for %j', path => {
    expect(() => parseByExtension(path, '{}')).toThrow('.json, .yaml, .yml, .toml')
  })

  test.each([
    ['a.json', '{"password": sentinel-4711'],
    ['a.yaml', 'password: "sentinel-4711'],
    ['a.yaml', 'a: [sentinel-4711, *sentinel-4711]'],
    ['a.toml', 'password = sentinel-4711'],
  ])('shows nothing of a %s that is wrong', (path, text) => {
    expect(() => parseByExtension(path, text)).toThrow(/^(?!.*sentinel)/s)
  })
})
