import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { schemaText } from '../../cmd/build/schema.ts'
import { scratch } from '../support/scratch.ts'
import { readExample } from './example.ts'

test('the schema beside the examples is the one that node cmd/build/schema.ts examples/config.schema.json writes', () => {
  expect(readExample('.', 'config.schema.json')).toBe(schemaText())
})

test('the build writes the schema into a directory that it makes', () => {
  const path = join(scratch(), 'dist', 'config.schema.json')

  const { status } = spawnSync(process.execPath, [resolve(import.meta.dirname, '../../cmd/build/schema.ts'), path])

  expect(status).toBe(0)
  expect(readFileSync(path, 'utf8')).toBe(schemaText())
})
