import { expect, test } from 'vitest'
import { schemaText } from '../../cmd/build/schema.ts'
import { readExample } from './example.ts'

test('the schema beside the examples is the one that node cmd/build/schema.ts examples/config.schema.json writes', () => {
  expect(readExample('.', 'config.schema.json')).toBe(schemaText())
})
