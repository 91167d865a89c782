import { Struct, Uint, type Value } from '../../../lib/base/value.ts'

/** What `ls` and `tree` return a list of. */
export function keyPair(path: string, key: string, value: string): Struct {
  return new Struct(
    '*dependency.KeyPair',
    new Map<string, Value>([
      ['Path', path],
      ['Key', key],
      ['Value', value],
      ['CreateIndex', new Uint(0n)],
      ['ModifyIndex', new Uint(0n)],
      ['LockIndex', new Uint(0n)],
      ['Flags', new Uint(0n)],
      ['Session', ''],
    ]),
  )
}

/** What `service` returns a list of; a field that is not given has its zero value. */
export function healthService(given: Readonly<Record<string, unknown>>, toValue: (json: unknown) => Value): Struct {
  const fields = new Map<string, Value>([
    ['Node', ''],
    ['NodeID', ''],
    ['NodeAddress', ''],
    ['NodeTaggedAddresses', new Map()],
    ['NodeMeta', new Map()],
    ['ServiceMeta', new Map()],
    ['Address', ''],
    ['ServiceTaggedAddresses', new Map()],
    ['ID', ''],
    ['Name', ''],
    ['Tags', []],
    ['Checks', []],
    ['Status', ''],
    ['Port', 0],
    [
      'Weights',
      new Struct(
        'api.AgentWeights',
        new Map([
          ['Passing', 0],
          ['Warning', 0],
        ]),
      ),
    ],
  ])
  for (const [name, value] of Object.entries(given)) {
    if (!fields.has(name)) throw new Error(`a health service has no field ${name}`)
    fields.set(name, toValue(value))
  }
  return new Struct('*dependency.HealthService', fields)
}
