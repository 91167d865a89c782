import { expect, test } from 'vitest'
import { Following, Gap } from '../../../providers/etcd/following.ts'
import { Snapshot } from '../../../providers/etcd/snapshot.ts'
import type { Event, KeyValue } from '../../../providers/etcd/wire.ts'

const range = { key: base64('a/'), rangeEnd: base64('a0'), hiddenBytes: 0, sharedBytes: 2 }
const making = { range, revisionKey: undefined, ttlOf: () => 0 }

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function kv(name: string, mod: number, create: number, version: number): KeyValue {
  const [mod_revision, create_revision] = [String(mod), String(create)]
  return { key: base64(`a/${name}`), value: base64('x'), mod_revision, create_revision, version: String(version) }
}

function put(name: string, mod: number, create: number, version: number): Event {
  return { kv: kv(name, mod, create, version) }
}

function removed(name: string, mod: number): Event {
  return { type: 'DELETE', kv: { key: base64(`a/${name}`), mod_revision: String(mod) } }
}

const before = Snapshot.of(making, 10, [kv('one', 4, 3, 2), kv('two', 9, 9, 1)])

test('what follows what is known is taken', () => {
  const after = before.after([put('one', 11, 3, 3), removed('two', 12), put('new', 13, 13, 1), put('new', 14, 13, 2)])
  expect([after.count, after.revision, after.newest]).toEqual([2, 14, 14])
})

test.each([
  ['a put of a key was left out', [put('one', 12, 3, 4)]],
  ['the making of a key was left out', [put('new', 12, 11, 2)]],
  ['a removal was left out, and the key is there again', [put('two', 12, 12, 1)]],
  ['a removal was left out, and the key was put as often again', [put('two', 12, 11, 2)]],
  ['the making of a key was left out that is gone again', [removed('new', 12)]],
  ['a removal was left out before a put', [removed('two', 11), put('two', 14, 13, 2)]],
])('%s: it is a gap', (_, events) => {
  expect(() => before.after(events)).toThrow(Gap)
})

test('changes that are told out of order are a gap, and those from before the start are nothing', () => {
  const following = new Following(range, 11)
  following.put([put('one', 9, 3, 1)], false)
  expect([following.bell.full, following.take()]).toEqual([false, []])
  following.put([put('one', 14, 3, 3), put('two', 14, 9, 2)], false)
  following.put([put('one', 15, 3, 4)], true)
  following.put([put('two', 15, 9, 3)], false)
  expect(following.take()).toHaveLength(4)
  following.put([put('new', 12, 12, 1)], false)
  expect(() => following.take()).toThrow('out of order')
})
