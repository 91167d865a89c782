import type { HookOptions } from '../bundle.ts'
import { commandHook } from './command.ts'
import type { Hook } from './hook.ts'
import type { HookHost } from './host.ts'
import { httpHook } from './http.ts'
import { signalHook } from './signal.ts'

/** The hook that the options describe. It holds nothing that would have to be closed. */
export function createHook(options: HookOptions, host: HookHost): Hook {
  if (options.kind === 'signal') return signalHook(options, host)
  if (options.kind === 'http') return httpHook(options, host)
  return commandHook(options, host)
}
