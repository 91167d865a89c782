import { existsSync, readFileSync, readdirSync, readlinkSync, renameSync, writeFileSync, mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { sequence } from '../support/sequence.ts'

const ROUNDS = 200
/** A round's kill comes within this time of its change: about as long as start, render, publish and notice take. */
const KILL_WITHIN_MS = 150
const PAIRS = 4

/** A hook endpoint that remembers each generation it answered 200, and whether that one had been answered before. */
async function endpoint() {
  const { createServer } = process.getBuiltinModule('node:http')
  const heard: number[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { generation } = JSON.parse(body) as { generation: number }
      heard.push(generation)
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/reload` }
}

test.each(['volume', 'files'] as const)(
  `${ROUNDS / 2} kills at random moments in mode %s leave one generation, lose no hook and leave nothing behind`,
  { timeout: 300_000 },
  async mode => {
    const root = scratch()
    const { heard, url } = await endpoint()
    const config = writeConfig(root, mode, url)
    const random = sequence(mode === 'volume' ? 11 : 12)
    const shown = join(root, mode === 'volume' ? 'volume' : 'etc')
    const journal = join(root, 'state', 'bundles', 'web', 'journal')
    /** By generation: how many notices had been heard when its delivery was seen on record. */
    const settled = new Map<number, number>()

    for (let round = 1; round <= ROUNDS / 2; round++) {
      const { child, ended } = startBuilt(['run', '-c', config])
      await pause(random() * KILL_WITHIN_MS)
      setValue(root, `v${round}`)
      await pause(random() * KILL_WITHIN_MS)
      child.kill('SIGKILL')
      await ended
      if (mode === 'volume') expectOneGeneration(shown)
      // What is on record as delivered by now must never be heard again.
      for (const generation of deliveredIn(journal)) if (!settled.has(generation)) settled.set(generation, heard.length)
    }

    // After the last restart everything is taken up without anybody's help.
    setValue(root, 'last')
    const { child, ended } = startBuilt(['run', '-c', config])
    await eventually(() => {
      expect(texts(shown)).toEqual(Array.from({ length: PAIRS }, () => 'last'))
      expect(readFileSync(journal, 'utf8').trimEnd().split('\n').at(-1)).toContain('"confirmed"')
    })
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0 })

    expect(heard).toEqual(heard.toSorted((a, b) => a - b))
    expect([...settled].filter(([generation, before]) => heard.slice(before).includes(generation))).toEqual([])
    expectNumbersGrow(journal)
    const visible = visibleNumber(root, mode)
    expect(heard.at(-1)).toBe(visible)
    const home = mode === 'volume' ? shown : join(root, 'state', 'bundles', 'web')
    expect(readdirSync(home).filter(name => /\.(new|gone|tmp|lock)/.test(name))).toEqual([])
  },
)

function writeConfig(root: string, mode: 'volume' | 'files', url: string): string {
  mkdirSync(join(root, 'values'))
  mkdirSync(join(root, 'etc'))
  setValue(root, 'v0')
  const prefix = mode === 'volume' ? '' : `${join(root, 'etc')}/`
  const files = Array.from({ length: PAIRS }, (_, i) => ({ path: `${prefix}f${i}`, content: '{{ ref "local://v" }}' }))
  const file = join(root, 'outrigger.yaml')
  writeFileSync(
    file,
    JSON.stringify({
      providers: { local: { type: 'file', path: './values' } },
      bundles: {
        web: {
          ...(mode === 'volume' ? { volume: join(root, 'volume') } : {}),
          files,
          hooks: [{ http: url, name: 'reload' }],
          settle: { quiet: '5ms', longest: '50ms' },
        },
      },
      state: join(root, 'state'),
    }),
  )
  return file
}

function setValue(root: string, value: string): void {
  writeFileSync(join(root, 'values', '.next'), value)
  renameSync(join(root, 'values', '.next'), join(root, 'values', 'v'))
}

function texts(directory: string): readonly string[] {
  return Array.from({ length: PAIRS }, (_, i) => readFileSync(join(directory, `f${i}`), 'utf8'))
}

function expectOneGeneration(volume: string): void {
  if (!existsSync(join(volume, '..data'))) return
  const pinned = join(volume, readlinkSync(join(volume, '..data')))
  expect(new Set(texts(pinned)).size).toBe(1)
}

function visibleNumber(root: string, mode: 'volume' | 'files'): number {
  if (mode === 'volume') return Number(readlinkSync(join(root, 'volume', '..data')).slice('..g'.length))
  const state = join(root, 'state', 'bundles', 'web')
  return Math.max(...readdirSync(state).flatMap(name => (/^\.\.g\d+$/.test(name) ? [Number(name.slice(3))] : [])))
}

function deliveredIn(journal: string): readonly number[] {
  return existsSync(journal) ? numbersOf('delivered', journal) : []
}

function expectNumbersGrow(journal: string): void {
  const intended = numbersOf('intended', journal)
  expect(intended.length).toBeGreaterThan(0)
  expect(intended).toEqual([...new Set(intended)].toSorted((a, b) => a - b))
  const delivered = numbersOf('delivered', journal)
  expect(delivered).toEqual([...new Set(delivered)])
}

function numbersOf(kind: string, journal: string): readonly number[] {
  const lines = readFileSync(journal, 'utf8').split('\n')
  const pattern = new RegExp(`"kind":"${kind}","generation":(\\d+)`)
  return lines.flatMap(line => pattern.exec(line)?.[1] ?? []).map(Number)
}

function pause(durationMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, durationMs))
}
