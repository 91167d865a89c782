import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'

/** Mounts a file system in memory for this test, with options such as `size=64k`. Where that is not allowed the test is
 *  skipped, and says so. */
export function mountTmpfs(context: TestContext, options: string): string {
  if (process.getuid?.() !== 0) context.skip('needs root, to mount a tmpfs')
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-tmpfs-'))
  onTestFinished(() => rmdirSync(directory))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    context.skip('needs the right to mount a tmpfs')
  }
  // Runs before the directory is removed: the last one registered goes first.
  onTestFinished(() => {
    execFileSync('umount', [directory])
  })
  return directory
}
