import { dirname, resolve } from 'node:path'
import { silentLog, type Log, type LogLevel } from '../lib/base/log.ts'
import { Redactor } from '../lib/base/secret.ts'
import { ConfigError, loadConfig, type Config } from '../lib/config/config.ts'
import { showProblem } from '../lib/config/problem.ts'
import { messageOf, OperationalError, systemCode } from '../lib/errors.ts'
import type { CommonOptions } from './options.ts'
import { sayError, sayProblems, textLine, type Terminal } from './terminal.ts'
import type { AppWorld, World } from './world.ts'

/** The world with the log that the options ask for, and the redactor that every line passes. */
export async function withLog(options: CommonOptions, world: World, usual: LogLevel = 'info'): Promise<AppWorld> {
  const { terminal } = world
  const redactor = new Redactor()
  const log = await openLog(options.logLevel ?? usual, options, terminal, redactor)
  const say = (line: string) => terminal.say(redactor.redact(line))
  return { ...world, terminal: { ...terminal, say }, log, redactor }
}

/** What writes the lines is only loaded where there are any. */
async function openLog(
  level: LogLevel,
  { logFormat }: CommonOptions,
  terminal: Terminal,
  redactor: Redactor,
): Promise<Log> {
  if (level === 'silent') return silentLog
  const { jsonLog } = await import('../lib/base/json-log.ts')
  const format = logFormat ?? (terminal.interactive() ? 'text' : 'json')
  const write = (line: string) => terminal.log(format === 'json' ? line : textLine(line))
  return jsonLog({ level, redactor, write })
}

/** The configuration, or undefined when it is wrong: then everything that is wrong with it has been said. */
export async function readConfig(options: CommonOptions, world: World): Promise<Config | undefined> {
  const read = { text: '' }
  try {
    return await loadFrom(options, world, read)
  } catch (error) {
    if (error instanceof ConfigError) sayProblems(world.terminal, error.problems, read.text)
    else if (error instanceof OperationalError) sayError(world.terminal, error)
    else throw error
    return undefined
  }
}

/** The configuration, for who goes on without it. Rejects with a `ConfigError` or another `OperationalError`. */
export async function loadFrom(options: CommonOptions, world: World, read = { text: '' }): Promise<Config> {
  const file = resolve(options.config)
  read.text = await readText(file, world)
  const { plugins, environment } = world
  return await loadConfig({ file, text: read.text }, { plugins, environment, readFile: path => world.readFile(path) })
}

/** Logs everything that is wrong, a line each. */
export function logProblems(log: Log, error: unknown): void {
  if (error instanceof ConfigError) {
    for (const each of error.problems)
      log.error('configuration problem', { problem: showProblem(each), ...hintOf(each) })
  } else if (error instanceof AggregateError) {
    for (const each of error.errors) logProblems(log, each)
  } else {
    const hint = error instanceof OperationalError ? hintOf(error) : {}
    log.error('configuration problem', { problem: messageOf(error), ...hint })
  }
}

function hintOf({ hint }: { readonly hint?: string | undefined }): { readonly hint?: string } {
  return hint === undefined ? {} : { hint }
}

async function readText(file: string, world: World): Promise<string> {
  try {
    return Buffer.from(await world.readFile(file)).toString('utf8')
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause)
    throw new OperationalError('bad-config', `cannot read the configuration ${file}: ${why}`, {
      hint: `name it with -c FILE; a first one is shown by outrigger --help (looked in ${dirname(file)})`,
      cause,
    })
  }
}
