import { appendFileSync, chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../lib/base/clock.ts'
import { jsonLog } from '../../../lib/base/json-log.ts'
import { v } from '../../../lib/base/schema.ts'
import { Redactor } from '../../../lib/base/secret.ts'
import { fromBytes } from '../../../lib/base/text.ts'
import { Tree } from '../../../lib/base/value.ts'
import { ProviderError } from '../../../lib/errors.ts'
import type { Provider, ProviderHost } from '../../../lib/provider.ts'
import type { Reading } from '../../../lib/reading.ts'
import { git } from '../../../providers/git/plugin.ts'
import { noteIn } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'

/** A Git provider on a directory of its own, and what the tests do with it. */
export class GitBench {
  readonly directory: string
  readonly logged: string[] = []
  readonly provider: Provider
  readonly #abort = new AbortController()

  private constructor(provider: Provider, directory: string, logged: string[]) {
    this.provider = provider
    this.directory = directory
    this.logged = logged
  }

  /** @param options as the configuration gives them */
  static async open(
    options: Readonly<Record<string, unknown>>,
    { directory = scratch(), ...host }: Partial<Omit<ProviderHost, 'directory'>> & { readonly directory?: string } = {},
  ): Promise<GitBench> {
    const logged: string[] = []
    const provider = await git.open(v.parse(git.options, options), {
      name: 'repo',
      clock: systemClock,
      random: () => 0.5,
      log: jsonLog({ level: 'debug', redactor: new Redactor(), write: line => logged.push(line) }),
      environment: {},
      configDirectory: directory,
      note: noteIn(new Map()),
      ...host,
      directory: async () => directory,
    })
    const bench = new GitBench(provider, directory, logged)
    onTestFinished(() => bench.#abort.abort())
    return bench
  }

  get store(): string {
    return join(this.directory, 'store.git')
  }

  /** One reading: the first of a new watch. */
  async read(signal = this.#abort.signal): Promise<Reading> {
    for await (const reading of this.watch(signal)) return reading
    throw new Error('the watch ended without a reading')
  }

  /** The files of one reading, as text. */
  async files(): Promise<Readonly<Record<string, string>>> {
    return textsOf(await this.read())
  }

  /** Why a read fails. */
  async failure(): Promise<ProviderError> {
    try {
      await this.read()
    } catch (error) {
      if (error instanceof ProviderError) return error
      throw error
    }
    throw new Error('the read did not fail')
  }

  watch(signal = this.#abort.signal): AsyncIterable<Reading> {
    return this.provider.watch(git.reference.ask('repo', ['any']), signal)
  }
}

export function textsOf({ value }: Reading): Readonly<Record<string, string>> {
  if (!(value instanceof Tree)) throw new Error('the reading is not a tree')
  return Object.fromEntries([...value.files].map(([path, file]) => [path, fromBytes(file.content)]))
}

/** A PATH on which `git` is a wrapper that writes down how it is called, and does something else instead of some verbs. */
export function countingGit(instead: Readonly<Record<string, string>> = {}): {
  readonly environment: Record<string, string>
  readonly calls: () => string[]
  readonly forget: () => void
} {
  const directory = scratch()
  const log = join(directory, 'calls')
  const path = process.env.PATH ?? ''
  const cases = Object.entries(instead).map(([verb, script]) => `${verb}) ${script};;`)
  writeFileSync(
    join(directory, 'git'),
    [
      '#!/bin/sh',
      `echo "$*" >> '${log}'`,
      `PATH='${path}'`,
      'case "$1" in',
      ...cases,
      '*) exec git "$@";;',
      'esac\n',
    ].join('\n'),
  )
  chmodSync(join(directory, 'git'), 0o755)
  appendFileSync(log, '')
  return {
    environment: { PATH: `${directory}:${path}` },
    calls: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(line => line !== ''),
    forget: () => writeFileSync(log, ''),
  }
}

/** The processes whose arguments or environment hold a text. */
export function processesWith(text: string, part: 'cmdline' | 'environ'): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/${part}`, 'latin1').includes(text)
      } catch {
        return false
      }
    })
    .map(Number)
}
