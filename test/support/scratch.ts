import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const SHARED_MEMORY = '/dev/shm'

/** A directory of this test's own, removed when the test is over.
 *  @param options.inMemory asks for one in memory, where the machine has that: for tests that are about speed or order, not disks */
export function scratch({ inMemory = false } = {}): string {
  const home = inMemory && existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir()
  const directory = realpathSync(mkdtempSync(join(home, 'outrigger-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
