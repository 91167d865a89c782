import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory of this test's own, removed when the test is over. */
export function scratch(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'outrigger-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
