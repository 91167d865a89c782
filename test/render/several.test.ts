import { expect, test } from 'vitest'
import type { OutputFile } from '../../lib/generation.ts'
import { Several, type Item } from '../../lib/render/several.ts'
import { start, template } from './start.ts'

const VIEW = { get: () => undefined }
const WORLD = { environment: {}, now: () => 0, networkAddresses: () => [] }

function item(key: string, evaluate: () => readonly OutputFile[]): Item {
  return { title: `all for ${key}`, key, sameAs: () => true, evaluate }
}

test('no more is rendered than can be published', () => {
  const content = new Uint8Array(100 * 1024 * 1024)
  let rendered = 0
  const items = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(key =>
    item(key, () => {
      rendered++
      return [{ path: key, content, mode: 0o600 }]
    }),
  )
  const several = new Several({ title: 'all', evaluate: () => ({ files: [], items }) })
  several.refresh(VIEW, WORLD)

  expect(several.problem).toEqual({ message: 'all: more than 536870912 bytes in all its files together' })
  expect(rendered).toBe(6)
})

test('no more is executed than an event loop can bear, also in the passes after', () => {
  const { set, render } = start([
    { path: '{{.Value}}', source: template('{{range 1999000}}{{end}}{{ref "one://x"}}', { forEach: '{{until 12}}' }) },
    { path: 'other', source: template('{{ref "one://y"}}') },
  ])
  set('x', 'a')
  set('y', 'b')
  const message = '{{.Value}}: more than 20000000 steps in all its files together'

  expect(render()).toMatchObject({ kind: 'broken', problem: { message } })
  set('y', 'c')
  expect(render()).toMatchObject({ kind: 'broken', problem: { message } })
})

test('two items of one key are two items', () => {
  let count = 0
  const items = ['a', 'a'].map(key => item(key, () => [{ path: `${++count}`, content: new Uint8Array(), mode: 0o600 }]))
  const several = new Several({ title: 'all', evaluate: () => ({ files: [], items }) })
  several.refresh(VIEW, WORLD)

  expect(several.parts.flatMap(({ files }) => files.map(({ path }) => path))).toEqual(['1', '2'])
})
