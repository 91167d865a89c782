import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { bundle } from '../../../cmd/build/bundle.ts'
import { scratch } from '../../support/scratch.ts'

const root = resolve(import.meta.dirname, '../../..')

const ENTRY = `
import { compileRegExp } from '${root}/lib/base/regexp.ts'
const kibibytes = () => process.memoryUsage().rss / 1024
const before = kibibytes()
const matches = compileRegExp('^a+$').test('aaa')
process.stdout.write(JSON.stringify({ matches, grew: kibibytes() > before + 1024 }))
`

test('a package that is required where it is needed is in the program, and evaluated no earlier', async () => {
  const directory = scratch()
  const entry = join(directory, 'entry.ts')
  writeFileSync(entry, ENTRY)
  // Node takes a file without a package.json beside it for CommonJS.
  const outfile = join(directory, 'program.cjs')

  const { packages } = await bundle(outfile, { entry })
  const { stdout } = spawnSync(process.execPath, [outfile], { encoding: 'utf8', cwd: directory })

  expect(packages).toContainEqual(expect.stringMatching(/^re2js@/))
  expect(JSON.parse(stdout)).toEqual({ matches: true, grew: true })
})
