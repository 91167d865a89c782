import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { bundle } from '../../cmd/build/bundle.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of the program as it is shipped, built from this tree when the test run began; empty when it cannot be built. */
    outriggerProgram: string
  }
}

const entry = resolve(import.meta.dirname, '../../cmd/main.ts')

/** Builds the program once for the whole run. A tree that cannot be built fails the tests that run the program, not all. */
export default async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-build-'))
  project.provide('outriggerProgram', await buildInto(join(directory, 'outrigger.js')))
  return () => rmSync(directory, { recursive: true, force: true })
}

async function buildInto(outfile: string): Promise<string> {
  if (!existsSync(entry)) return ''
  try {
    await bundle(outfile)
    return outfile
  } catch (error) {
    process.stderr.write(`the program cannot be built: ${error instanceof Error ? error.message : String(error)}\n`)
    return ''
  }
}
