import { Struct, type Value } from '../../../base/value.ts'
import type { Environment } from '../standard.ts'

/** The world that examples see. */
export const exampleWorld: Environment = {
  environment: { HOME: '/home/app' },
  now: () => Date.UTC(2024, 1, 29, 13, 7, 9, 123),
  networkAddresses: () => [
    { interfaceName: 'eth0', address: '10.1.2.3/16', flags: 'up|broadcast|multicast', isDefault: true },
  ],
}

/** The dot of examples: what functions of Consul might answer. */
export const exampleDot: Value = new Map<string, Value>([
  ['pairs', [keyPair('db/host', 'h'), keyPair('db/port', '5432'), keyPair('name', 'x')]],
  ['services', [service(80, ['a', 'b'], { zone: 'eu', rank: '7' }), service(443, ['b'], { zone: 'us' })]],
])

function keyPair(key: string, value: string): Struct {
  return new Struct(
    '*dependency.KeyPair',
    new Map([
      ['Path', `app/${key}`],
      ['Key', key],
      ['Value', value],
    ]),
  )
}

function service(port: number, tags: readonly string[], meta: Readonly<Record<string, string>>): Struct {
  return new Struct(
    '*dependency.HealthService',
    new Map<string, Value>([
      ['Name', 'web'],
      ['Port', port],
      ['Tags', tags],
      ['ServiceMeta', new Map(Object.entries(meta))],
    ]),
  )
}
