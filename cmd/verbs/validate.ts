import { randomBytes } from 'node:crypto'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { noting, readOwners } from '../owners.ts'
import { buildRenderers } from '../sources.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommonOptions } from '../options.ts'
import { readConfig } from '../setup.ts'
import { sayError } from '../terminal.ts'
import type { World } from '../world.ts'

/** Checks the configuration and parses every template. Reads no provider, writes nothing. */
export async function validate(options: CommonOptions, world: World): Promise<number> {
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const notes = new Set<string>()
  try {
    const appWorld = { ...world, log: silentLog, redactor: new Redactor() }
    const owners = noting(await readOwners(world), notes)
    await buildRenderers(config, config.bundles.keys(), randomBytes(32), appWorld, owners)
  } catch (error) {
    sayError(world.terminal, error)
    return ExitCode.usage
  }
  for (const note of notes) world.terminal.say(`note: ${note} of this machine; where it runs, it must be known`)
  world.terminal.say(
    `${config.file} is valid: ${count(config.bundles.size, 'bundle')}, ${count(config.providers.size, 'provider')}`,
  )
  return ExitCode.done
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
