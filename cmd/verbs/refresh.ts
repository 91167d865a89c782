import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { askControl, type ControlAnswer } from '../../lib/admin/ask-control.ts'
import { CONTROL_SOCKET } from '../../lib/admin/control-path.ts'
import { UNKNOWN_BUNDLE, type ControlError } from '../../lib/admin/control.ts'
import { excerpt } from '../../lib/base/excerpt.ts'
import { formatDurationMs } from '../../lib/base/duration.ts'
import { listed } from '../../lib/base/listed.ts'
import { messageOf, OperationalError, systemCode } from '../../lib/errors.ts'
import { REFRESH_MS_MAX, type Refreshed, type RefreshFailure } from '../../lib/refreshed.ts'
import { ExitCode } from '../exit-code.ts'
import { untilLeft } from '../leaving.ts'
import type { CommonOptions } from '../options.ts'
import { userName } from '../owners.ts'
import { readConfig } from '../setup.ts'
import { sayError, sayProblem, type Terminal } from '../terminal.ts'
import type { World } from '../world.ts'

export interface RefreshOptions extends CommonOptions {
  /** Those that are refreshed; every bundle without a name. */
  readonly bundles: readonly string[]
  /** 0 waits as long as may be waited. */
  readonly timeoutMs: number
}

/** How much longer the answer may take than what it tells of: it has been on its way since the time was over. */
const ANSWER_MS = 10_000
/** What others wrote stays on its line. */
const LINE_CHARACTERS_MAX = 4_000

/** Has the `run` that uses this state directory ask its providers at once, and says what came of it. */
export async function refresh(options: RefreshOptions, world: World): Promise<number> {
  return await untilLeft(world.signals, ({ signal }) => ask(options, world, signal))
}

async function ask(options: RefreshOptions, world: World, signal: AbortSignal): Promise<number> {
  const { terminal, clock } = world
  if (options.timeoutMs > REFRESH_MS_MAX) {
    const [longest, got] = [REFRESH_MS_MAX, options.timeoutMs].map(formatDurationMs)
    const hint = 'a refresh goes on when nobody waits for it any more'
    sayProblem(terminal, `--timeout: want at most ${longest}, got ${got}`, hint)
    return ExitCode.usage
  }
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const { stateDirectory } = config
  const timeoutMs = options.timeoutMs === 0 ? REFRESH_MS_MAX : Math.max(1, Math.ceil(options.timeoutMs))
  const question = { bundles: options.bundles, timeoutMs }
  try {
    const answer = await askControl(stateDirectory, '/refresh', question, timeoutMs + ANSWER_MS, clock, signal)
    return say(answer, timeoutMs, terminal)
  } catch (error) {
    sayError(terminal, signal.aborted ? signal.reason : await explained(error, stateDirectory, world))
    return ExitCode.failed
  }
}

/** Says what each bundle came to, and gives the exit code: the gravest of all. */
function say({ status, body }: ControlAnswer, timeoutMs: number, terminal: Terminal): number {
  if (status !== 200 || !Array.isArray(body)) {
    const { error = `the answer is not understood (${status})`, hint } = (body ?? {}) as Partial<ControlError>
    sayProblem(terminal, line(error), hint === undefined ? undefined : line(hint))
    return status === UNKNOWN_BUNDLE ? ExitCode.usage : ExitCode.failed
  }
  const all = body as readonly Refreshed[]
  for (const refreshed of all) sayRefreshed(refreshed, terminal)
  const codes = all.map(codeOf)
  const gravest = [ExitCode.failed, ExitCode.rejected, ExitCode.waiting].find(code => codes.includes(code))
  if (all.some(({ outcome }) => outcome === 'pending'))
    terminal.say(`gave up waiting after ${formatDurationMs(timeoutMs)}; it goes on, and nothing was taken away`)
  return gravest ?? ExitCode.done
}

function sayRefreshed({ bundle, outcome, summary, hint, unread, more }: Refreshed, terminal: Terminal): void {
  const prefix = PREFIXES.get(outcome) ?? ''
  sayProblem(terminal, line(`${bundle}: ${prefix}${summary}`), hint === undefined ? undefined : line(hint))
  for (const failures of Map.groupBy(unread, reasonOf).values()) sayUnread(bundle, failures, terminal)
  if (more > 0) terminal.say(`${bundle}: ${more} more could not be read`)
}

/** What goes before a summary that does not say what it is. */
const PREFIXES: ReadonlyMap<Refreshed['outcome'], string> = new Map([
  ['broken', 'broken: '],
  ['rejected', 'rejected: '],
  ['rolled-back', 'rolled back: '],
  ['pending', 'still waiting: '],
])

/** One reason is one line, however many have it: a backend that is away takes all that is its own with it. */
function sayUnread(bundle: string, failures: readonly RefreshFailure[], terminal: Terminal): void {
  const [first] = failures
  if (first === undefined) return
  const names = listed(failures.map(({ dependency }) => dependency))
  sayProblem(
    terminal,
    line(`${bundle}: cannot read ${names}: ${first.code}: ${whyOf(first)}`),
    first.hint === undefined ? undefined : line(first.hint),
  )
}

function reasonOf(failure: RefreshFailure): string {
  return JSON.stringify([failure.code, whyOf(failure), failure.hint])
}

/** A provider's errors say of what they are, and here that stands before them. */
function whyOf({ dependency, message }: RefreshFailure): string {
  return message.replaceAll(`${dependency}: `, '')
}

function codeOf({ outcome, unread }: Refreshed): number {
  if (outcome === 'broken' || unread.length > 0) return ExitCode.failed
  if (outcome === 'rejected' || outcome === 'rolled-back') return ExitCode.rejected
  return outcome === 'waiting' || outcome === 'pending' ? ExitCode.waiting : ExitCode.done
}

/** Why nobody could be asked, and what to do. */
async function explained(error: unknown, directory: string, world: World): Promise<unknown> {
  const socket = join(directory, CONTROL_SOCKET)
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') {
    return new OperationalError(
      'unavailable',
      `no outrigger runs with this state directory: nothing listens on ${socket}`,
      {
        hint: 'start `outrigger run`, or name its configuration with -c; where one runs, it may be loading its configuration, or its log says why it has no control socket',
      },
    )
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const owner = await ownerOf([socket, directory], world)
    return new OperationalError('forbidden', `${socket}: permission denied (${code})`, {
      hint: owner === undefined ? 'ask as the user who runs outrigger' : `ask as its owner, ${owner}`,
    })
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new OperationalError('unavailable', `${socket}: it ended before it had answered (${code})`, {
      hint: 'its log says why; ask again',
    })
  }
  if (error instanceof OperationalError) return new OperationalError(error.code, `${socket}: ${messageOf(error)}`)
  return new OperationalError('unavailable', `${socket}: ${code ?? messageOf(error)}`)
}

/** Whose the first of these is that can be seen. */
async function ownerOf(paths: readonly string[], world: World): Promise<string | undefined> {
  for (const path of paths) {
    const uid = await stat(path).then(
      found => found.uid,
      () => undefined,
    )
    if (uid !== undefined) return await userName(uid, world)
  }
  return undefined
}

function line(text: string): string {
  return excerpt(text, LINE_CHARACTERS_MAX)
}
