import { expect, test } from 'vitest'
import { Scope } from '../../lib/base/scope.ts'
import { settled } from '../support/fake-clock.ts'

const reason = new Error('enough')

function scopeOf() {
  const failures: unknown[] = []
  return { scope: new Scope(error => failures.push(error)), failures }
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve()))
}

test('the end aborts the signal with its reason, waits for the tasks, then closes, the last added first', async () => {
  const { scope, failures } = scopeOf()
  const events: string[] = []
  scope.onEnd(() => void events.push('closed first'))
  scope.onEnd(async () => {
    await settled()
    events.push('closed last')
  })
  scope.run(async signal => {
    await aborted(signal)
    await settled()
    events.push('task ended')
    throw signal.reason
  })

  await scope.end(reason)

  expect(events).toEqual(['task ended', 'closed last', 'closed first'])
  expect(scope.signal.reason).toBe(reason)
  expect(failures).toEqual([])
})

test('a second end waits for the first one', async () => {
  const { scope } = scopeOf()
  const { promise, resolve } = Promise.withResolvers<void>()
  const events: string[] = []
  scope.onEnd(() => void events.push('first added'))
  scope.onEnd(() => promise.then(() => void events.push('last added')))

  const ends = [scope.end(reason), scope.end(new Error('again'))].map(end => end.then(() => events.push('end')))
  await settled()
  const before = [...events]
  resolve()
  await Promise.all(ends)

  expect(before).toEqual([])
  expect(events).toEqual(['last added', 'first added', 'end', 'end'])
  expect(scope.signal.reason).toBe(reason)
})

test('a task that fails is told of at once, and the others go on', async () => {
  const { scope, failures } = scopeOf()
  const failure = new Error('a bug')
  let ended = false
  scope.run(signal => aborted(signal).then(() => void (ended = true)))
  scope.run(() => Promise.reject(failure))
  await settled()

  expect([failures, ended, scope.signal.aborted]).toEqual([[failure], false, false])
  await scope.end(reason)
  expect(ended).toBe(true)
})

test('a task that an ending task starts is waited for, too', async () => {
  const { scope } = scopeOf()
  let ended = false
  scope.run(async signal => {
    await aborted(signal)
    scope.run(async () => {
      await settled()
      ended = true
    })
  })

  await scope.end(reason)

  expect(ended).toBe(true)
})

test('a closer that fails does not keep the others from closing', async () => {
  const { scope } = scopeOf()
  const failure = new Error('cannot close')
  const closed: number[] = []
  scope.onEnd(() => void closed.push(1))
  scope.onEnd(() => {
    throw failure
  })
  scope.onEnd(() => void closed.push(3))

  await expect(scope.end(reason)).rejects.toBe(failure)
  expect(closed).toEqual([3, 1])
})
