import { existsSync, mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A scratch place with a configuration for the built program: one value, one template, one bundle. */
export interface Place {
  readonly root: string
  readonly config: string
  readonly value: string
  readonly volume: string
}

export interface PlaceOptions {
  /** In memory where the machine has such a file system, else on disk. */
  readonly memory: boolean
  readonly quiet: string
  readonly hook?: string
  /** What the value is read from, `v` there. @default the file */
  readonly provider?: object
  /** @default local://v */
  readonly reference?: string
  /** What follows the value in the template. */
  readonly rest?: string
}

const SHARED_MEMORY = '/dev/shm'

/** The beginning of a path in memory, where the machine has such a file system. */
export function sharedMemory(name: string): string {
  return join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), name)
}

export function makePlace({ memory, quiet, hook, provider, reference = 'local://v', rest }: PlaceOptions): Place {
  const root = mkdtempSync(memory ? sharedMemory('outrigger-bench-') : join(tmpdir(), 'outrigger-bench-'))
  const place = {
    root,
    config: join(root, 'outrigger.yaml'),
    value: join(root, 'values', 'v'),
    volume: join(root, 'volume'),
  }
  mkdirSync(join(root, 'values'))
  writeFileSync(place.value, '0')
  writeFileSync(
    place.config,
    JSON.stringify({
      providers: { local: provider ?? { type: 'file', path: './values' } },
      bundles: {
        web: {
          volume: place.volume,
          files: [
            {
              path: 'app.conf',
              content: `value = {{ ref "${reference}" }}${rest === undefined || rest === '' ? '' : ` ${rest}`}\n`,
            },
          ],
          hooks: hook === undefined ? [] : [{ http: hook }],
          settle: { quiet, longest: '5s' },
        },
      },
      state: join(root, 'state'),
    }),
  )
  return place
}

export function removePlace({ root }: Place): void {
  rmSync(root, { recursive: true, force: true })
}

/** What a child of a measurement gets: nothing that adds to its start. */
export const bareEnvironment = { PATH: process.env['PATH'] ?? '' }
