import { parseEnv } from 'node:util'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBytes, toBytes } from '../../../lib/base/text.ts'
import type { DotenvDialect } from '../../../lib/format.ts'
import { KEPT_BY_SHELLS } from '../../../lib/render/formats/dotenv.ts'
import { scratch } from '../../support/scratch.ts'
import { dockerReader, pythonReader, sourced, works } from './readers.ts'
import { encoded, encodedOrRefused, expectSurvival, namedMaps, refused } from './values.ts'

function inDialect(dialect: DotenvDialect) {
  return { name: 'dotenv', dialect } as const
}

const SHELLS = ['sh', 'dash', 'bash']

describe('a dotenv file', () => {
  test.each<[string, string, string]>([
    ['what every reader takes as it stands', 'a-1_/.:@%+,', 'A=a-1_/.:@%+,\n'],
    ['nothing', '', 'A=\n'],
    ['blanks', ' a b ', "A=' a b '\n"],
    ['what shells expand', '$HOME `id` $(id)', "A='$HOME `id` $(id)'\n"],
    ['what begins comments', 'a #b', "A='a #b'\n"],
    ['an assignment', 'a=b', "A='a=b'\n"],
    ['line breaks', 'a\nb\n', "A='a\nb\n'\n"],
    ['double quotes', '{"a":1}', `A='{"a":1}'\n`],
    ['backslashes', '\\d+\\n', "A='\\d+\\n'\n"],
    ['single quotes', "it's", `A="it's"\n`],
  ])('holds %s', (_what, text, file) => {
    expect(encoded({ A: text }, inDialect('dotenv'))).toBe(file)
  })

  test.each<[string, string, RegExp]>([
    ['both kinds of quotes', `'"`, /the value of "A" has quotes, \$ or backslashes together/],
    ['a dollar beside a single quote', `'$A`, /together/],
    ['a backslash at its end', 'a\\', /together|has/],
    ['a carriage return', 'a\r\nb', /"A" has a carriage return in it, which a dotenv file cannot hold/],
    ['a NUL', 'a\0', /"A" has a NUL in it/],
    ['bytes that are no text', fromBytes(Buffer.from([0xff])), /"A" is not UTF-8 text/],
  ])('refuses %s, which readers take differently', (_what, text, message) => {
    const { message: said, hint } = refused({ A: text }, inDialect('dotenv'))
    expect(said).toMatch(message)
    expect(hint).toMatch(/dialect|except/)
  })

  test.each(['', 'a b', '1a', 'a-b', 'a.b', 'é', 'A=B', 'A\nB'])('refuses %j as the name of a variable', key => {
    const { message, hint } = refused({ [key]: 'sentinel' }, inDialect('dotenv'))
    expect(message).toContain(`${JSON.stringify(key)} is no name of a variable in a dotenv file`)
    expect(message).not.toContain('sentinel')
    expect(hint).toMatch(/upper: true.*except/)
  })

  test('holds what is no text as a text, and structures as one line of JSON', () => {
    const input = { N: 9007199254740993n, B: true, E: null, M: { a: [1, { b: 'c d' }] }, L: [] }
    expect(encoded(input, inDialect('dotenv'))).toBe(
      `B=true\nE=\nL='[]'\nM='{"a":[1,{"b":"c d"}]}'\nN=9007199254740993\n`,
    )
  })

  test('of an empty map is empty, and of no map refused', () => {
    expect(encoded({}, inDialect('dotenv'))).toBe('')
    expect(refused('sentinel', inDialect('dotenv')).message).toBe('want a map of keys for dotenv, got a single value')
    expect(refused([1], inDialect('shell')).message).toMatch(/got a list/)
  })
})

describe('any map in the dialect dotenv', () => {
  test('is read by Node as it was, or refused', async () => {
    const read = (bytes: Uint8Array) => ({ ...parseEnv(Buffer.from(bytes).toString()) })
    await expectSurvival(read, inDialect('dotenv'), { runs: 2_000 })
  })

  test('is read by python-dotenv as it was, or refused', async context => {
    await expectSurvival(await pythonReader('dotenv', context), inDialect('dotenv'))
  }, 60_000)

  test('is read by systemd as it was, or refused', async context => {
    await expectSurvival(await pythonReader('systemd', context), inDialect('dotenv'))
  }, 60_000)

  test('is read by shells as it was, or refused', () => {
    expectShellsToRead('dotenv')
  }, 60_000)
})

describe('any map in the dialect systemd', () => {
  test('is read by its own parser as it was, or refused', async context => {
    await expectSurvival(await pythonReader('systemd', context), inDialect('systemd'))
  }, 60_000)

  test('is refused only for a NUL, for noncharacters and for names', () => {
    fc.assert(
      fc.property(namedMaps, map => {
        const isRefused = encodedOrRefused(map, inDialect('systemd')) === undefined
        expect(isRefused).toBe([...map.values()].some(text => /\0|\p{Noncharacter_Code_Point}/u.test(text)))
      }),
    )
  })
})

describe('any map in the dialect shell', () => {
  test('is read by shells as it was, or refused', () => {
    expectShellsToRead('shell')
  }, 60_000)

  test('is refused only for a NUL and for names', () => {
    fc.assert(
      fc.property(namedMaps, map => {
        const isRefused = encodedOrRefused(map, inDialect('shell')) === undefined
        expect(isRefused).toBe([...map].some(([key, text]) => text.includes('\0') || KEPT_BY_SHELLS.has(key)))
      }),
    )
  })

  test.each(SHELLS)('may have any bytes for %s, in any locale', shell => {
    if (!works(shell, '-c', ':')) return
    const file = join(scratch(), 'file')
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => i + 1)
    const edges = [bytes, bytes.toReversed(), Uint8Array.of(0xc3), Uint8Array.of(0xf0, 0x9f)]
    const map = new Map(edges.map((each, i) => [`A${i}`, fromBytes(each)]))
    for (const locale of ['C', 'C.UTF-8']) {
      const got = sourced(shell, file, encodedOrRefused(map, inDialect('shell')) as Uint8Array, locale)
      expect([...map.keys()].map(key => [...Buffer.from(got.get(key) ?? '', 'latin1')])).toEqual(
        edges.map(each => [...each]),
      )
    }
  })

  test.skipIf(!works('bash', '-c', ':'))('has no name that Bash would not keep', () => {
    const file = join(scratch(), 'file')
    const kept = [...KEPT_BY_SHELLS].filter(name => {
      try {
        return sourced('bash', file, Buffer.from(`export ${name}='a b'\n`)).get(name) === 'a b'
      } catch {
        return false
      }
    })
    expect(kept).toEqual([])
    expect(refused({ UID: '1' }, inDialect('shell'))).toMatchObject({
      message: '"UID" is a variable that shells keep for themselves',
      hint: expect.stringContaining('prefix') as string,
    })
  })
})

describe('any map in the dialect docker', () => {
  test.each<[string, string, RegExp]>([
    ['a line break', 'a\nb', /the value of "A" has a line break in it, which an env file of Docker cannot hold/],
    ['a carriage return', 'a\r', /carriage return/],
    ['a NUL', '\0', /NUL/],
    ['too much', 'x'.repeat(65_534), /longer/],
  ])('is refused for %s', (_what, text, message) => {
    const { message: said, hint } = refused({ A: text }, inDialect('docker'))
    expect(said).toMatch(message)
    expect(hint).toMatch(/except.*format: raw/)
  })

  test('stands as it is', () => {
    expect(encoded({ 'a.b-c': ` "$x" 'y' #\\ `, B: '' }, inDialect('docker'))).toBe(`B=\na.b-c= "$x" 'y' #\\ \n`)
    expect(refused({ 'a b': '' }, inDialect('docker')).message).toMatch(/want letters, digits, _, \. and -/)
  })

  test('is read by the docker client as it was, or refused', async context => {
    const read = await dockerReader(context)
    const whole = encodedOrRefused(new Map([['A', 'x'.repeat(65_533)]]), inDialect('docker')) as Uint8Array
    expect((await read(whole))[0]).toHaveLength(65_535)
    await expect(read(Buffer.concat([Buffer.from('x'), whole]))).rejects.toThrow('token too long')
    const sorted = async (bytes: Uint8Array) => (await read(bytes)).toSorted()
    const as = (map: ReadonlyMap<string, string>) => [...map].map(entry => entry.join('=')).toSorted()
    await expectSurvival(sorted, inDialect('docker'), { as, runs: 80 })
  }, 60_000)
})

/** Shells, those that are here, read what they are given. */
function expectShellsToRead(dialect: DotenvDialect): void {
  const file = join(scratch(), 'file')
  const here = SHELLS.filter(shell => works(shell, '-c', ':'))
  expect(here).toContain('sh')
  fc.assert(
    fc.property(fc.constantFrom(...here), namedMaps, (shell, map) => {
      const bytes = encodedOrRefused(map, inDialect(dialect))
      if (bytes === undefined || [...map.keys()].some(key => KEPT_BY_SHELLS.has(key))) return
      const script = dialect === 'shell' ? bytes : Buffer.concat([Buffer.from('set -a\n'), bytes])
      const got = sourced(shell, file, script)
      expect([...map.keys()].map(key => [key, got.get(key)])).toEqual(
        [...map].map(([key, text]) => [key, Buffer.from(toBytes(text)).toString('latin1')]),
      )
    }),
    { numRuns: 120 },
  )
}
