import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import { readDigestKey } from '../../lib/state/digest-key.ts'
import { scratch } from '../support/scratch.ts'

test('the key is made once, for us only', async () => {
  const directory = scratch()

  const first = await readDigestKey(directory, disk)
  const second = await readDigestKey(directory, disk)

  expect(first).toHaveLength(32)
  expect(Buffer.compare(first, second)).toBe(0)
  expect(statSync(join(directory, 'digest-key')).mode & 0o777).toBe(0o600)
})

test('two installations have two keys', async () => {
  expect(Buffer.compare(await readDigestKey(scratch(), disk), await readDigestKey(scratch(), disk))).not.toBe(0)
})

test('a damaged key is replaced', async () => {
  const directory = scratch()
  writeFileSync(join(directory, 'digest-key'), 'short')

  const key = await readDigestKey(directory, disk)

  expect(key).toHaveLength(32)
  expect(Buffer.compare(await readDigestKey(directory, disk), key)).toBe(0)
})

test.skipIf(process.getuid?.() === 0)(
  'a state directory that cannot be written is named (needs not to be root)',
  async () => {
    const directory = scratch()
    chmodSync(directory, 0o500)

    await expect(readDigestKey(directory, disk)).rejects.toMatchObject({
      code: 'not-permitted',
      message: expect.stringContaining(directory),
    })
  },
)
