import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { plugins } from '../../providers/index.ts'

test('plugins has each built-in type under its own name', () => {
  expect([...plugins.keys()]).toEqual(['consul', 'env', 'etcd', 'file', 'git', 'vault'])
  for (const [type, plugin] of plugins) expect(plugin.type).toBe(type)
})

const LOADED = `
  import { registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({ resolve(specifier, context, next) {
    if (/^[a-z@]/.test(specifier) && !/^(node|file):/.test(specifier)) packages.add(specifier)
    return next(specifier, context)
  } })
  await import(process.argv[1])
  console.log(JSON.stringify([...packages]))
`

test('plugins can be had without loading what only an open provider needs', async () => {
  const index = new URL('../../providers/index.ts', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', LOADED, index])
  expect(JSON.parse(stdout)).toEqual(['valibot'])
})
