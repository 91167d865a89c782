import { expect, test } from 'vitest'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { Rounds } from '../../lib/sync/rounds.ts'
import { settled } from '../support/fake-clock.ts'

const never = new AbortController().signal

function place() {
  const changed = new Mailbox<undefined>()
  const rounds = new Rounds(changed)
  const waitFor = (signal = never) => {
    let isOver = false
    rounds.next(signal).then(
      () => (isOver = true),
      () => {},
    )
    return () => isOver
  }
  return { changed, rounds, waitFor }
}

test('who waits has the loop come round, and waits for the end of that round', async () => {
  const { changed, rounds, waitFor } = place()
  const isOver = waitFor()
  expect(changed.full).toBe(true)
  rounds.begin()
  await settled()
  expect(isOver()).toBe(false)
  rounds.end()
  await settled()

  expect(isOver()).toBe(true)
})

test('a round that is under way is not enough, and another follows whatever it has taken for itself', async () => {
  const { changed, rounds, waitFor } = place()
  rounds.begin()
  const isOver = waitFor()
  changed.clear()
  rounds.end()
  await settled()
  expect([isOver(), changed.full]).toEqual([false, true])
  rounds.begin()
  rounds.end()
  await settled()

  expect(isOver()).toBe(true)
})

test('a round that nobody waits for asks for no other', () => {
  const { changed, rounds } = place()
  rounds.begin()
  rounds.end()

  expect(changed.full).toBe(false)
})

test('who gives up asks for no other', async () => {
  const { changed, rounds } = place()
  const enough = new AbortController()
  rounds.begin()
  const next = rounds.next(enough.signal)
  enough.abort(new Error('enough'))
  await expect(next).rejects.toThrow('enough')
  changed.clear()
  rounds.end()

  expect(changed.full).toBe(false)
})
