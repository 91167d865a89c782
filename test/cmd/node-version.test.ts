import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { NODE_MIN, nodeTooOld } from '../../cmd/node-version.ts'

test.each(['20.20.2', '24.9.0', '24.14.9'])(
  'Node %s is too old, and both versions and the program are named',
  version => {
    const said = nodeTooOld(version, '/usr/bin/node')

    for (const part of [NODE_MIN, version, '/usr/bin/node']) expect(said).toContain(part)
  },
)

test.each(['24.15.0', '24.100.0', '25.0.0', '26.10.0'])('Node %s will do', version => {
  expect(nodeTooOld(version, '/usr/bin/node')).toBeUndefined()
})

test('it is the version that the package asks for', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly engines: { readonly node: string }
  }

  expect(engines.node).toBe(`>=${NODE_MIN}`)
})
