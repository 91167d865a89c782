import { Command, CommanderError, Option } from 'commander'
import { parseDurationMs } from '../lib/base/duration.ts'
import type { LogLevel } from '../lib/base/log.ts'
import { nearest } from '../lib/base/nearest.ts'
import { OperationalError } from '../lib/errors.ts'
import { ExitCode } from './exit-code.ts'
import type { CommonOptions } from './options.ts'
import { sayError, sayProblem } from './terminal.ts'
import type { World } from './world.ts'

const USAGE = `Usage:
  outrigger run      [-c FILE] [--log-level LEVEL] [--log-format FORMAT]
  outrigger once     [-c FILE] [--timeout DURATION] [--no-hooks]
  outrigger render   [-c FILE] [--timeout DURATION] [--reveal] [BUNDLE [PATH]]
  outrigger explain  [-c FILE] [--timeout DURATION] [--reveal] FILE[:LINE]
  outrigger refresh  [-c FILE] [--timeout DURATION] [BUNDLE…]
  outrigger validate [-c FILE]

Keeps an application's configuration and secrets current: reads providers,
renders templates, checks and publishes the result as one atomic generation,
tells the application, and goes back if the application takes it badly.

Verbs:
  run        keep every bundle current until SIGTERM or SIGINT; SIGHUP, or
             a change of its files, loads the configuration again, and keeps
             the old one if that is wrong
  once       bring every bundle up to date, tell the hooks, and end
  render     print what would be published; publishes and tells nothing
  explain    print where each line of a rendered file comes from: the place
             in the template, what it asked for, its revision, when it was
             read; FILE as configured, or its path on disk
  refresh    have the one that runs ask its providers now, without the waits
             after failures, and say what came of it; makes no lease anew
  validate   check the configuration and its templates; reads no provider

Options:
  -c, --config FILE      the configuration, YAML or JSON
                         (default: $OUTRIGGER_CONFIG, else outrigger.yaml)
  --timeout DURATION     how long to wait for what is missing, such as 30s or
                         5m; 0 waits for ever (default: 5m; for refresh 30s,
                         and at most 1h)
  --no-hooks             tell nobody: for an init container, whose
                         application has not started yet
  --reveal               print sensitive values as they are, not as [secret]
  --log-level LEVEL      debug, info, warn, error or silent
                         (default: $OUTRIGGER_LOG_LEVEL, else info for run,
                         and silent for the others, which say how they end)
  --log-format FORMAT    json or text (default: $OUTRIGGER_LOG_FORMAT, else
                         text on a terminal and json elsewhere)
  -h, --help             print this help
  -V, --version          print the version

Exit codes:
  0  done                3  still waiting at the deadline
  1  failed              4  rejected by a check, or rolled back
  2  bad usage or configuration

Example:
  $ cat outrigger.yaml
  providers:
    local: { type: file, path: ./values }
  bundles:
    web:
      volume: /tmp/web
      files:
        - { path: hello.txt, content: "Hello, {{ ref \\"local://name\\" }}\\n" }
  state: /tmp/outrigger
  $ outrigger once && cat /tmp/web/hello.txt
`

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']
const LOG_FORMATS = ['json', 'text'] as const
const VERBS = ['run', 'once', 'render', 'explain', 'refresh', 'validate']

/** Runs the program with these arguments, and gives its exit code. */
export async function runProgram(args: readonly string[], world: World): Promise<number> {
  const { terminal } = world
  let code: number = ExitCode.done
  try {
    const program = commands(world, finished => (code = finished))
    if (args.length === 0) throw new UsageError('no verb', 'start with: outrigger validate -c FILE')
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return usageCode(error, args, world)
    sayError(terminal, error)
    return error instanceof UsageError ? ExitCode.usage : ExitCode.failed
  }
}

function commands(world: World, finish: (code: number) => void): Command {
  const program = new Command('outrigger')
    .exitOverride()
    .configureOutput({ writeOut: text => world.terminal.out(text), writeErr: () => {} })
    .helpOption('-h, --help')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
  program.helpInformation = () => USAGE
  const verb = (name: string): Command => {
    const command = program.command(name).exitOverride().allowExcessArguments(false)
    command.helpInformation = () => USAGE
    for (const option of commonOptions(world.environment)) command.addOption(option)
    return command
  }
  const timeout = new Option('--timeout <duration>').default('5m').argParser(durationArgument)
  verb('run').action(async (options: CommonOptions) => {
    const { run } = await import('./verbs/run.ts')
    finish(await run(options, world))
  })
  verb('once')
    .addOption(timeout)
    .option('--no-hooks')
    .action(async (options: CommonOptions & { timeout: string; hooks: boolean }) => {
      const { once } = await import('./verbs/once.ts')
      finish(await once({ ...options, timeoutMs: parseDurationMs(options.timeout) ?? 0 }, world))
    })
  verb('render')
    .addOption(timeout)
    .option('--reveal')
    .argument('[bundle]')
    .argument('[path]')
    .action(
      async (
        bundle: string | undefined,
        path: string | undefined,
        options: CommonOptions & { timeout: string; reveal?: true },
      ) => {
        const { render } = await import('./verbs/render.ts')
        const timeoutMs = parseDurationMs(options.timeout) ?? 0
        finish(await render({ ...options, bundle, path, timeoutMs, reveal: options.reveal ?? false }, world))
      },
    )
  verb('explain')
    .addOption(timeout)
    .option('--reveal')
    .argument('<file>')
    .action(async (file: string, options: CommonOptions & { timeout: string; reveal?: true }) => {
      const { explain } = await import('./verbs/explain.ts')
      const timeoutMs = parseDurationMs(options.timeout) ?? 0
      finish(await explain({ ...options, file, timeoutMs, reveal: options.reveal ?? false }, world))
    })
  verb('refresh')
    .addOption(new Option('--timeout <duration>').default('30s').argParser(durationArgument))
    .argument('[bundle...]')
    .action(async (bundles: readonly string[], options: CommonOptions & { timeout: string }) => {
      const { refresh } = await import('./verbs/refresh.ts')
      finish(await refresh({ ...options, bundles, timeoutMs: parseDurationMs(options.timeout) ?? 0 }, world))
    })
  verb('validate').action(async (options: CommonOptions) => {
    const { validate } = await import('./verbs/validate.ts')
    finish(await validate(options, world))
  })
  return program
}

/** An empty variable counts as unset: commander's own `.env()` would take it for a value. */
function commonOptions(environment: Readonly<Record<string, string>>): readonly Option[] {
  const { OUTRIGGER_CONFIG, OUTRIGGER_LOG_LEVEL, OUTRIGGER_LOG_FORMAT } = environment
  return [
    new Option('-c, --config <file>').default(OUTRIGGER_CONFIG || 'outrigger.yaml'),
    new Option('--log-level <level>')
      .default(oneOf('OUTRIGGER_LOG_LEVEL', LOG_LEVELS, OUTRIGGER_LOG_LEVEL))
      .choices(LOG_LEVELS),
    new Option('--log-format <format>')
      .default(oneOf('OUTRIGGER_LOG_FORMAT', LOG_FORMATS, OUTRIGGER_LOG_FORMAT))
      .choices(LOG_FORMATS),
  ]
}

function oneOf<T extends string>(name: string, choices: readonly T[], text: string | undefined): T | undefined {
  if (text === undefined || text === '') return undefined
  const found = choices.find(choice => choice === text)
  if (found === undefined)
    throw new UsageError(`${name}: want one of ${choices.join(', ')}, got "${text}"`, `unset ${name} or mend it`)
  return found
}

function durationArgument(text: string): string {
  const ms = parseDurationMs(text)
  if (ms !== undefined && ms >= 0) return text
  throw new UsageError(`--timeout: want a duration, got "${text}"`, 'write it as 30s, 5m or 1h30m')
}

/** A mistake in the arguments or in the variables that stand for them. */
class UsageError extends OperationalError {
  constructor(message: string, hint: string) {
    super('usage', message, { hint })
  }
}

function usageCode(error: CommanderError, args: readonly string[], { terminal }: World): number {
  if (error.exitCode === 0) return ExitCode.done
  const verb = args[0] ?? ''
  const near = error.code === 'commander.unknownCommand' ? nearest(verb, VERBS) : undefined
  if (near === undefined) {
    const message = error.message.replace(/^error: /, '').replace(/\.$/, '')
    sayProblem(terminal, message, 'outrigger --help lists the verbs and their options')
  } else {
    sayProblem(terminal, `unknown verb "${verb}"`, `did you mean "${near}"?`)
  }
  return ExitCode.usage
}

declare const OUTRIGGER_VERSION: string | undefined
/** Set by the build. */
const VERSION = typeof OUTRIGGER_VERSION === 'undefined' ? 'development' : OUTRIGGER_VERSION
