import { describe, expect, test } from 'vitest'
import type { Value } from '../../../lib/base/value.ts'
import { question } from './harness.ts'

function asked(name: string, args: readonly Value[]): unknown {
  const { kind, path, params } = question(name).ask('mine', args)
  return [kind, path, params]
}

const NOTHING = ['nothing', '', {}]

describe('what templates write', () => {
  test.each<[string, readonly Value[], unknown]>([
    ['key', ['a/b'], ['key', 'a/b', {}]],
    ['key', ['/a//b/'], ['key', 'a/b/', {}]],
    ['key', ['a b/ä:~|x'], ['key', 'a b/ä:~|x', {}]],
    ['key', ['a?ns=n&partition=p@dc-1.x'], ['key', 'a', { ns: 'n', partition: 'p', dc: 'dc-1.x' }]],
    ['key', ['a?peer=x&sameness-group=y'], ['key', 'a', {}]],
    ['key', ['a?ns=one&ns=two&&partition'], ['key', 'a', { ns: 'one' }]],
    ['key', [''], NOTHING],
    ['keyExists', ['a@dc1'], ['key', 'a', { dc: 'dc1' }]],
    ['keyExistsGet', ['a'], ['key', 'a', {}]],
    ['keyOrDefault', ['a', 'x'], ['key', 'a', {}]],
    ['ls', ['a'], ['ls', 'a', {}]],
    ['safeLs', ['/a/?ns=n'], ['ls', 'a/', { ns: 'n' }]],
    ['tree', ['/'], ['tree', '', {}]],
    ['safeTree', ['a@dc'], ['tree', 'a', { dc: 'dc' }]],
    ['files', ['a'], ['tree', 'a/', {}]],
    ['files', [''], ['tree', '', {}]],
    ['service', ['web'], ['service', 'web', {}]],
    ['service', ['a.b=c:d.web'], ['service', 'web', { tag: 'a.b=c:d' }]],
    [
      'service',
      ['t.web?ns=n&partition=p&peer=e@dc~_agent|warning,passing,,passing'],
      [
        'service',
        'web',
        { tag: 't', ns: 'n', partition: 'p', peer: 'e', dc: 'dc', near: '_agent', filter: 'passing,warning' },
      ],
    ],
    ['service', ['web', 'passing'], ['service', 'web', {}]],
    ['service', ['web', 'any'], ['service', 'web', { filter: 'any' }]],
    ['service', ['', 'any'], NOTHING],
    ['connect', ['web?sameness-group=g'], ['connect', 'web', { 'sameness-group': 'g' }]],
    ['services', [], ['services', '', {}]],
    ['services', ['?ns=n@dc'], ['services', '', { ns: 'n', dc: 'dc' }]],
    ['node', [], ['node', '', {}]],
    ['node', ['a.b@dc'], ['node', 'a.b', { dc: 'dc' }]],
    ['nodes', ['@dc~a'], ['nodes', '', { dc: 'dc', near: 'a' }]],
    ['datacenters', [], ['datacenters', '', {}]],
    ['datacenters', [true], ['datacenters', '', { failing: 'ignored' }]],
    ['peerings', ['?partition=p'], ['peerings', '', { partition: 'p' }]],
    ['exportedServices', ['p'], ['exported-services', '', { partition: 'p' }]],
    ['exportedServices', [], ['exported-services', '', {}]],
    ['importedServices', ['p'], ['imported-services', '', { partition: 'p' }]],
    ['caLeaf', ['web'], ['ca-leaf', 'web', {}]],
    ['caLeaf', [''], NOTHING],
  ])('%s %j', (name, args, wanted) => {
    expect(asked(name, args)).toEqual(wanted)
  })

  test.each<[string, readonly Value[]]>([
    ['ref', ['']],
    ['ref', ['/']],
    ['key', ['a?dc=x']],
    ['key', ['a?ns=a b']],
    ['key', ['a@b@c']],
    ['key', ['a@']],
    ['key', ['a/../b']],
    ['key', ['./a']],
    ['key', ['a', 'b']],
    ['keyOrDefault', ['a']],
    ['tree', [1]],
    ['service', []],
    ['service', ['web|ill']],
    ['service', ['web|']],
    ['service', ['a b']],
    ['service', ['web?peer=a&sameness-group=b']],
    ['service', ['web?near=x']],
    ['services', ['web']],
    ['node', ['a b']],
    ['nodes', ['dc1']],
    ['datacenters', ['true']],
    ['partitions', ['x']],
    ['peerings', ['p']],
    ['caRoots', ['x']],
    ['caLeaf', []],
    ['exportedServices', ['a', 'b']],
    ['exportedServices', ['a b']],
    ['importedServices', ['']],
    ['importedServices', []],
  ])('%s %j is refused', (name, args) => {
    expect(() => asked(name, args)).toThrow(/^(?:want|after)/)
  })

  test('a name that is refused is not shown: it may come from a value', () => {
    expect(() => asked('key', ['hidden@a@b'])).not.toThrow(/hidden/)
    expect(() => asked('service', ['hidden name'])).not.toThrow(/hidden/)
  })
})
