import { expect, test } from 'vitest'
import { Notes } from '../../cmd/notes.ts'
import { systemClock } from '../../lib/base/clock.ts'
import { disk } from '../../lib/base/disk.ts'
import { silentLog } from '../../lib/base/log.ts'
import { openSealedState, type SealedState } from '../../lib/state/sealed-state.ts'
import { scratch } from '../support/scratch.ts'

const NONE: ReadonlyMap<string, string> = new Map()

function openSealed(directory: string): Promise<SealedState> {
  const providers = new Map([['one', { seal: 'all', identity: 'here' } as const]])
  const key = new Uint8Array(32)
  return openSealedState({ directory, key, providers, fileSystem: disk, clock: systemClock, log: silentLog })
}

/** The notes of a configuration with one provider, and the note of that. */
function open(sealed: SealedState, before = NONE, identity = 'here') {
  const notes = new Notes()
  const note = notes.of('one', identity)
  notes.open(sealed, before)
  return { notes, note }
}

test('a note is read by the next configuration and by the next process', async () => {
  const directory = scratch()
  const sealed = await openSealed(directory)
  const { notes, note } = open(sealed)
  note.write('first')
  expect(await open(sealed, notes.handOver()).note.read()).toBe('first')
  await sealed.close()
  expect(await open(await openSealed(directory)).note.read()).toBe('first')
})

test('a note of what reads from elsewhere is not read', async () => {
  const sealed = await openSealed(scratch())
  const { notes, note } = open(sealed)
  note.write('first')
  expect(await open(await openSealed(scratch()), notes.handOver(), 'there').note.read()).toBeUndefined()
})

test('what a configuration writes after it was handed over does not replace what the next one has written', async () => {
  const directory = scratch()
  const sealed = await openSealed(directory)
  const old = open(sealed)
  old.note.write('old')
  const kept = old.notes.handOver()
  const next = open(sealed, kept)
  next.note.write('new')
  old.note.write('late')

  expect(await next.note.read()).toBe('new')
  expect([...kept.values()]).toEqual(['old'])
  await sealed.close()
  expect(await open(await openSealed(directory)).note.read()).toBe('new')
})
