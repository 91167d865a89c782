import { readFile } from 'node:fs/promises'
import { systemClock, type Clock, type Random } from '../lib/base/clock.ts'
import { disk } from '../lib/base/disk.ts'
import type { FileSystem } from '../lib/base/filesystem.ts'
import type { Log } from '../lib/base/log.ts'
import type { Redactor } from '../lib/base/secret.ts'
import type { ProviderPlugin } from '../lib/provider.ts'
import { plugins } from '../providers/index.ts'
import { giveBackMemory } from './memory.ts'
import { systemTerminal, type Terminal } from './terminal.ts'

/** Everything outside the program that it touches, in one place, so that a test can stand in for all of it. */
export interface World {
  readonly environment: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly random: Random
  readonly fileSystem: FileSystem
  readonly plugins: ReadonlyMap<string, ProviderPlugin>
  readonly terminal: Terminal
  readonly signals: Signals
  readFile(path: string): Promise<Uint8Array>
  /** Gives back the memory that only the start needed; see `memory.ts`. */
  readonly giveBackMemory: () => void
}

/** A `World` with somewhere to log. */
export interface AppWorld extends World {
  readonly log: Log
  readonly redactor: Redactor
}

/** The signals that are sent to us. */
export interface Signals {
  /** Calls back for each of these signals until the returned function is called; our own default action is off meanwhile. */
  on(signals: readonly NodeJS.Signals[], callback: (signal: NodeJS.Signals) => void): () => void
}

export function systemWorld(): World {
  return {
    environment: definedOnly(process.env),
    clock: systemClock,
    random: Math.random,
    fileSystem: disk,
    plugins,
    terminal: systemTerminal,
    signals: systemSignals,
    readFile,
    giveBackMemory,
  }
}

const systemSignals: Signals = {
  on(signals, callback) {
    for (const signal of signals) process.on(signal, callback)
    return () => {
      for (const signal of signals) process.off(signal, callback)
    }
  },
}

function definedOnly(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
