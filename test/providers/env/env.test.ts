import { expect, test } from 'vitest'
import { env } from '../../../providers/env/plugin.ts'
import { providerConformance } from '../conformance.ts'

providerConformance(
  'env',
  async () => {
    const environment: Record<string, string> = {}
    return {
      plugin: env,
      options: {},
      host: { environment },
      async write(path, content) {
        environment[path] = Buffer.from(content).toString('utf8')
      },
      remove: async path => void delete environment[path],
      reference: path => [path],
      close: async () => {},
    }
  },
  { changes: false, binary: false },
)

test.for(['', 'A=B', 'A\0'])('env refuses the name %j', name => {
  expect(() => env.reference.ask('mine', [name])).toThrow(/name/)
})
