import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { explained } from '../../lib/base/disk-error.ts'
import { scratch } from '../support/scratch.ts'

test('an error of the system comes with what was being done, the path, its meaning and the next step', async () => {
  const path = join(scratch(), 'nothing')

  await expect(explained('read the marker', () => readFile(path))).rejects.toMatchObject({
    code: 'missing',
    message: `read the marker: ${path}: it does not exist (ENOENT)`,
    hint: expect.stringContaining('mounted') as string,
  })
})

test('of a rename that fails, the new name is told and not the temporary one', async () => {
  const directory = scratch()
  const [from, to] = [join(directory, 'temporary'), join(directory, 'app.conf')]
  writeFileSync(from, '')
  mkdirSync(to)

  await expect(explained('publish', () => rename(from, to))).rejects.toMatchObject({
    code: 'in-the-way',
    message: `publish: ${to}: a directory is there (EISDIR)`,
  })
})

test('what is not an error of the system goes on as it is', async () => {
  const bug = new TypeError('a bug')

  await expect(explained('publish', () => Promise.reject(bug))).rejects.toBe(bug)
})
