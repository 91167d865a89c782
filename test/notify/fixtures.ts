import { systemClock } from '../../lib/base/clock.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { HookError } from '../../lib/notify/hook.ts'
import type { HookHost } from '../../lib/notify/host.ts'
import type { Notice } from '../../lib/notice.ts'
import { expect } from 'vitest'

export const never = new AbortController().signal

export const notice: Notice = {
  bundle: 'web',
  generation: 42,
  digest: 'd1ge57',
  changed: ['app.conf', 'tls/key.pem'],
  directory: '/run/config/..g42',
}

export function hostOf(options: Partial<HookHost> = {}): HookHost {
  return { clock: systemClock, redactor: new Redactor(), environment: { PATH: '/usr/bin:/bin' }, ...options }
}

/** The `HookError` that a promise rejects with; fails the test when it does not. */
export async function hookErrorOf(promise: Promise<unknown>): Promise<HookError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(HookError)
  return error as HookError
}
