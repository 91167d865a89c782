import { failureOfCommand } from '../base/command.ts'
import { childEnvironment } from '../base/process.ts'
import type { CommandHookOptions } from '../bundle.ts'
import type { Notice } from '../notice.ts'
import { HookError, type Hook } from './hook.ts'
import type { HookHost } from './host.ts'

/** How much of the command's last words a message shows. */
const WORDS = { linesMax: 1, charactersMax: 200 }
/** The longest `OUTRIGGER_CHANGED`: Linux takes 128 KiB in one variable, and all of them share the room with the arguments. */
const CHANGED_BYTES_MAX = 32 * 1024

/** Tells by running a command, without a shell, in a process group of its own. Exit code 0 means told.
 *
 *  Its environment is the small one of every child, the configured additions, and the notice: `OUTRIGGER_BUNDLE`,
 *  `OUTRIGGER_GENERATION`, `OUTRIGGER_DIGEST`, `OUTRIGGER_DIRECTORY`, `OUTRIGGER_RESTORES` (on a rollback) and
 *  `OUTRIGGER_CHANGED`: the changed paths, one a line. Of a list too long for a variable the first ones are given, and
 *  `OUTRIGGER_CHANGED_OMITTED` says how many are missing. */
export function commandHook(options: CommandHookOptions, host: HookHost): Hook {
  return {
    id: options.id,
    async tell(notice, signal) {
      const environment = childEnvironment(host.environment, { ...options.environment, ...variablesOf(notice) })
      const run = { command: options.command, environment, timeoutMs: options.timeoutMs, words: WORDS }
      const failure = await failureOfCommand(run, host, signal)
      if (failure !== undefined) throw new HookError('failed', failure.why)
    },
  }
}

function variablesOf(notice: Notice): Record<string, string> {
  const changed = linesWithin(CHANGED_BYTES_MAX, notice.changed)
  const omitted = notice.changed.length - changed.length
  return {
    OUTRIGGER_BUNDLE: notice.bundle,
    OUTRIGGER_GENERATION: String(notice.generation),
    OUTRIGGER_DIGEST: notice.digest,
    OUTRIGGER_DIRECTORY: notice.directory,
    OUTRIGGER_CHANGED: changed.join('\n'),
    ...(omitted > 0 ? { OUTRIGGER_CHANGED_OMITTED: String(omitted) } : {}),
    ...(notice.restores === undefined ? {} : { OUTRIGGER_RESTORES: String(notice.restores) }),
  }
}

function linesWithin(bytesMax: number, lines: readonly string[]): readonly string[] {
  let bytes = 0
  const tooMany = lines.findIndex(line => (bytes += Buffer.byteLength(line) + 1) > bytesMax)
  return tooMany < 0 ? lines : lines.slice(0, tooMany)
}
