import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

interface Place {
  readonly root: string
  readonly volume: string
  readonly config: string
}

interface BundleConfig {
  readonly volume?: string
  readonly files: readonly Record<string, string>[]
}

function place(
  files: readonly Record<string, string>[],
  more: Record<string, unknown> = {},
  others: Record<string, BundleConfig> = {},
): Place {
  const root = scratch()
  const volume = join(root, 'volume')
  mkdirSync(join(root, 'values'))
  const config = join(root, 'outrigger.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      providers: { local: { type: 'file', path: './values' }, ...more },
      bundles: { web: { volume, files, settle: { quiet: '10ms', longest: '100ms' } }, ...others },
      state: join(root, 'state'),
    }),
  )
  return { root, volume, config }
}

const VALUE = [{ path: 'app.conf', content: '{{ ref "local://v" }}' }]

function setValue({ root }: Place, text: string): void {
  writeFileSync(join(root, 'values', 'v'), text)
}

async function shows({ volume }: Place, text: string): Promise<void> {
  await eventually(() => expect(readFileSync(join(volume, 'app.conf'), 'utf8')).toBe(text))
}

/** Mounts a small file system in memory, or says why that cannot be. */
function mountMemory(directory: string): void {
  mkdirSync(directory, { recursive: true })
  run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory])
  onTestFinished(() => void spawnSync('umount', ['--lazy', directory]))
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
}

const probe = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
const canMount = process.getuid?.() === 0 && probe.status === 0
if (!canMount)
  process.stdout.write('skipped: tests on a full and on a read-only volume; run them as root, where mount works\n')

describe.skipIf(!canMount)('a volume that', () => {
  test('is full keeps the old generation, says so, and recovers by itself', async () => {
    const at = place(VALUE)
    mountMemory(at.volume)
    setValue(at, 'small')
    const { stderr } = startBuilt(['run', '-c', at.config])
    await shows(at, 'small')
    setValue(at, 'x'.repeat(1_000_000))
    await eventually(() => expect(stderr()).toMatch(/ENOSPC/))
    expect(stderr()).toContain(at.volume)
    expect(readFileSync(join(at.volume, 'app.conf'), 'utf8')).toBe('small')

    setValue(at, 'small again')
    await shows(at, 'small again')
  })

  test('is read-only keeps the old generation, says so, and recovers by itself', async () => {
    const at = place(VALUE)
    mountMemory(at.volume)
    setValue(at, 'one')
    const { stderr } = startBuilt(['run', '-c', at.config])
    await shows(at, 'one')
    run('mount', ['-o', 'remount,ro', at.volume])
    setValue(at, 'two')
    await eventually(() => expect(stderr()).toMatch(/EROFS/))
    expect(stderr()).toContain(at.volume)
    expect(readFileSync(join(at.volume, 'app.conf'), 'utf8')).toBe('one')

    run('mount', ['-o', 'remount,rw', at.volume])
    await shows(at, 'two')
  })
})

test('a volume that cannot be used at the start holds up its own bundle only, and is used as soon as it can be', async () => {
  const inTheWay = join(scratch(), 'other')
  writeFileSync(inTheWay, '')
  const other = { volume: inTheWay, files: [{ path: 'x', content: 'x' }] }
  const at = place(VALUE, {}, { other })
  setValue(at, 'one')
  const { stderr } = startBuilt(['run', '-c', at.config])
  await shows(at, 'one')
  await eventually(() => expect(stderr()).toContain(inTheWay))

  rmSync(inTheWay)
  await eventually(() => expect(readFileSync(join(inTheWay, 'x'), 'utf8')).toBe('x'), { withinMs: 40_000 })
})

test('a volume that vanished is made again, and is held by the same one', async () => {
  const at = place(VALUE)
  setValue(at, 'one')
  startBuilt(['run', '-c', at.config])
  await shows(at, 'one')
  rmSync(at.volume, { recursive: true })
  setValue(at, 'two')

  await shows(at, 'two')
  expect(readdirSync(at.volume).filter(name => name.startsWith('..lock.'))).toHaveLength(1)
})

test('a directory where a file should be is named, nothing is published beside it, and removing it is enough', async () => {
  const at = place(VALUE)
  setValue(at, 'one')
  mkdirSync(join(at.volume, 'app.conf'), { recursive: true })
  const { stderr } = startBuilt(['run', '-c', at.config])
  await eventually(() => expect(stderr()).toContain(join(at.volume, 'app.conf')))
  expect(existsSync(join(at.volume, '..data'))).toBe(false)

  rmdirSync(join(at.volume, 'app.conf'))
  await shows(at, 'one')
})

const SELF = '{{ define "self" }}{{ template "self" }}{{ end }}'
const BLOCK = `{{ define "block" }}{{ range 100000 }}${'0123456789abcdef'.repeat(4)}{{ end }}{{ end }}`

test.each([
  ['loops', '{{ range 1000000000 }}{{ end }}'],
  ['prints', '{{ range 1000 }}{{ template "block" }}{{ end }}'],
  ['calls itself', '{{ template "self" }}'],
])('a template that %s without end is stopped at its bound, and the old generation stays', async (_, endless) => {
  const content = `${SELF}${BLOCK}{{ if eq (ref "local://v") "bad" }}${endless}{{ end }}{{ ref "local://v" }}`
  const at = place([{ path: 'app.conf', content }])
  setValue(at, 'good')
  const { stderr } = startBuilt(['run', '-c', at.config])
  await shows(at, 'good')
  setValue(at, 'bad')
  await eventually(() => expect(stderr()).toMatch(/app\.conf:1:\d+.*(limit|more than|longer than|exceeded)/))
  expect(readFileSync(join(at.volume, 'app.conf'), 'utf8')).toBe('good')

  setValue(at, 'good again')
  await shows(at, 'good again')
})

test('a provider that hangs holds up its own bundle only, and once says what it waits for', async () => {
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const sockets = new Set<{ destroy(): void }>()
  silent.on('connection', socket => sockets.add(socket))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/config.git`
  const volume = join(scratch(), 'other')
  const other = { volume, files: [{ path: 'x', content: '{{ ref "repo://x" }}' }] }
  const at = place(VALUE, { repo: { type: 'git', url, timeout: '60s' } }, { other })
  setValue(at, 'one')
  const { code, stderr } = await runBuilt(['once', '-c', at.config, '--timeout', '2s'])

  expect(code).toBe(3)
  expect(stderr).toContain('web: generation 1 published')
  expect(stderr).toMatch(/other: waiting for repo:\/\//)
  await shows(at, 'one')
})
