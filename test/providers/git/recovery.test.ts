import { chmod, mkdir, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GitHttpServer } from '../../support/git-http-server.ts'
import { git, GitRepository } from '../../support/git-repository.ts'
import { scratch } from '../../support/scratch.ts'
import { countingGit, GitBench, processesWith } from './harness.ts'

const KILL_ROUNDS = 50

describe('what a killed git left behind', () => {
  const locks = (
    'shallow.lock HEAD.lock config.lock packed-refs.lock index.lock FETCH_HEAD.lock gc.pid gc.pid.lock shallow_x ' +
    'refs/outrigger/current.lock refs/heads/x.lock objects/info/commit-graph.lock objects/pack/multi-pack-index.lock ' +
    'objects/pack/tmp_pack_x objects/pack/tmp_idx_x objects/pack/.tmp-1-pack-x objects/ab/tmp_obj_x ' +
    'objects/pack/pack-0000000000000000000000000000000000000000.keep'
  ).split(' ')
  test.each(locks)('%s stops no read and is gone after it', async name => {
    const { repository, bench } = await readOnce()
    await mkdir(dirname(join(bench.store, name)), { recursive: true })
    await writeFile(join(bench.store, name), '')
    const hash = await repository.commit({ a: '2' })
    expect((await bench.read()).revision).toBe(hash)
    expect(await readdir(bench.store, { recursive: true })).not.toContain(name)
    expect(bench.logged.join('')).not.toContain('made anew')
  })

  test('all of it together, from a process before us, does not either', async () => {
    const { repository, bench, directory } = await readOnce()
    for (const name of locks) {
      await mkdir(dirname(join(bench.store, name)), { recursive: true })
      await writeFile(join(bench.store, name), '')
    }
    await repository.commit({ a: '2' })
    const again = await GitBench.open({ url: repository.url }, { directory })
    expect(await again.files()).toEqual({ a: '2', b: 'x' })
  })
})

describe('a store that git cannot use is made anew in the same read', () => {
  const damages: Readonly<Record<string, (store: string) => Promise<void>>> = {
    'HEAD is empty': store => truncate(join(store, 'HEAD')),
    'HEAD is gone': store => rm(join(store, 'HEAD')),
    'config is nonsense': store => writeFile(join(store, 'config'), '[core\n\0'),
    'refs are gone': store => rm(join(store, 'refs'), { recursive: true }),
    'our ref is nonsense': store => writeFile(join(store, 'refs/outrigger/current'), 'x\n'),
    'our ref names what is not there': store => writeFile(join(store, 'refs/outrigger/current'), `${'e'.repeat(40)}\n`),
    'shallow is nonsense': store => writeFile(join(store, 'shallow'), 'x\n'),
    'objects are gone': store => rm(join(store, 'objects'), { recursive: true }),
    'packs are gone': store => rm(join(store, 'objects/pack'), { recursive: true }),
    'packs are a file': store => turnedIntoFile(join(store, 'objects/pack')),
    'objects are a file': store => turnedIntoFile(join(store, 'objects')),
    'refs are a file': store => turnedIntoFile(join(store, 'refs')),
    'our refs are a file': store => turnedIntoFile(join(store, 'refs/outrigger')),
    'shallow is a directory': async store => {
      await rm(join(store, 'shallow'))
      await mkdir(join(store, 'shallow'))
    },
    'packs are cut': store => eachPack(store, '.pack', path => truncate(path, 40)),
    'packs are full of zeros': store =>
      eachPack(store, '.pack', async path => writeFile(path, Buffer.alloc((await stat(path)).size))),
    'indexes are empty': store => eachPack(store, '.idx', path => truncate(path)),
    'it is a file': turnedIntoFile,
    'it is empty': async store => {
      await rm(store, { recursive: true })
      await mkdir(store)
    },
    'it is a link to elsewhere': async store => {
      await rm(store, { recursive: true })
      await symlink('/nonexistent', store)
    },
    'it is gone': store => rm(store, { recursive: true }),
  }

  test.each(Object.keys(damages))('%s, and the ref moved on', async name => {
    const { repository, bench } = await readOnce()
    await damages[name]?.(bench.store)
    const hash = await repository.commit({ a: '2' })
    expect((await bench.read()).revision).toBe(hash)
    expect(await bench.files()).toEqual({ a: '2', b: 'x' })
  })

  test.each(Object.keys(damages))('%s, found at a start', async name => {
    const { repository, bench, directory } = await readOnce()
    await damages[name]?.(bench.store)
    const again = await GitBench.open({ url: repository.url }, { directory })
    expect(await again.files()).toEqual({ a: '1', b: 'x' })
  })

  test('while the remote is away, it is an error of the remote, and the next read cures it', async () => {
    const { repository, bench, directory, server } = await readOnce()
    await damages['objects are gone']?.(bench.store)
    const again = await GitBench.open({ url: `${server.url}/repository.git` }, { directory })
    server.status = 503
    expect((await again.failure()).code).toBe('unavailable')
    server.status = undefined
    expect(await again.files()).toEqual({ a: '1', b: 'x' })
    await repository.commit({ a: '2' })
    expect(await again.files()).toEqual({ a: '2', b: 'x' })
  })
})

test.each([
  ['ls-tree', "echo 'fatal: path does not exist' >&2; exit 128"],
  ['fetch', 'echo "error: unable to open object pack directory: $GIT_DIR/objects/pack: Not a directory" >&2; exit 128'],
])('a store that fails in %s when made anew as well is an error of the store', async (verb, script) => {
  const { repository, directory } = await readOnce()
  await repository.commit({ a: '2' })
  const { environment, calls } = countingGit({ [verb]: script })
  const again = await GitBench.open({ url: repository.url }, { directory, environment })

  const failure = await again.failure()

  expect(failure).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('state directory') })
  expect(failure.message).toContain('the private Git repository cannot be used, not even when made anew')
  expect(again.logged.filter(line => line.includes('made anew'))).toHaveLength(1)
  expect(calls().filter(call => call.startsWith(verb))).toHaveLength(2)
})

test('a store at a start is used: nothing is fetched again', async () => {
  const { repository, directory } = await readOnce()
  const { environment, calls } = countingGit()
  const again = await GitBench.open({ url: repository.url }, { directory, environment })
  expect(await again.files()).toEqual({ a: '1', b: 'x' })
  expect(calls().map(call => call.split(' ')[0])).not.toContain('fetch')
})

test('a fetch that is killed at any moment leaves a store that the next read uses', async () => {
  const repository = await GitRepository.make()
  const blob = (round: number) => `${round}\n`.repeat(2_000)
  await repository.commit(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, blob(i)])))
  const server = await GitHttpServer.start(dirname(repository.path))
  onTestFinished(() => server.close())
  const bench = await GitBench.open({ url: `${server.url}/repository.git` })
  const running = () => processesWith(`GIT_DIR=${bench.store}`, 'environ')
  let killed = 0
  /** What a read that nobody kills takes here, from its first process on. */
  let wholeMs = 50
  for (let round = 1; round <= KILL_ROUNDS; round++) {
    const hash = await repository.commit({ [`f${round % 60}`]: blob(1_000 + round), round: `${round}` })
    let over = false
    const reading = bench.read().then(
      () => (over = true),
      () => (over = true),
    )
    while (!over && running().length === 0) await pause(3)
    const beganMs = performance.now()
    await Promise.race([reading, pause(Math.random() * wholeMs)])
    if (over) wholeMs = (wholeMs + performance.now() - beganMs) / 2
    for (const pid of running()) killed += kill(pid)
    await reading
    expect((await bench.read()).revision).toBe(hash)
  }
  expect(killed).toBeGreaterThan(KILL_ROUNDS / 3)
  expect((await bench.files()).round).toBe(`${KILL_ROUNDS}`)
  const names = await readdir(bench.store, { recursive: true })
  expect(names.filter(name => name.endsWith('.lock'))).toEqual([])
  await git(['--git-dir', bench.store, 'fsck', '--connectivity-only'])
  expect(running()).toEqual([])
}, 180_000)

test('a fetch that fails leaves nothing half received, so that the disk is not held full', async () => {
  const repository = await GitRepository.make()
  await repository.commit({ a: '1' })
  const { environment } = countingGit({ fetch: 'touch "$GIT_DIR/objects/pack/tmp_pack_x" && kill -9 $$' })
  const bench = await GitBench.open({ url: repository.url }, { environment })
  expect((await bench.failure()).code).toBe('unavailable')
  expect(await readdir(join(bench.store, 'objects/pack'))).toEqual([])
})

test('the disk does not grow with the number of commits', async () => {
  const repository = await GitRepository.make()
  const bench = await GitBench.open({ url: repository.url })
  const noise = (i: number) =>
    Buffer.from(Array.from({ length: 20_000 }, (_, j) => (i * 31 + j * j * 17 + ((i * j) >> 3)) % 256))
  const sizes: number[] = []
  for (let i = 1; i <= 40; i++) {
    await repository.commit({ noise: noise(i), i: `${i}` })
    expect((await bench.read()).revision).toBe(await repository.hash('main'))
    sizes.push((await readdir(join(bench.store, 'objects/pack'))).filter(name => name.endsWith('.pack')).length)
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(20)
  // The list of where histories were cut is trimmed with them.
  expect((await stat(join(bench.store, 'shallow'))).size).toBeLessThan(41 * 25)
  expect(bench.logged.join('')).not.toContain('made anew')
}, 120_000)

describe('what is planted in the store is not run', () => {
  test('hooks, and configuration that names programs', async () => {
    const { repository, bench } = await readOnce()
    const proof = join(bench.directory, 'proof')
    const program = join(bench.directory, 'evil')
    await writeFile(program, `#!/bin/sh\necho "$0 $*" >> '${proof}'\n`)
    await chmod(program, 0o755)
    await mkdir(join(bench.store, 'hooks'), { recursive: true })
    for (const hook of [
      'reference-transaction',
      'post-index-change',
      'post-checkout',
      'post-merge',
      'pre-auto-gc',
      'fsmonitor-watchman',
    ]) {
      await symlink(program, join(bench.store, 'hooks', hook))
    }
    const config = {
      'core.hooksPath': join(bench.store, 'hooks'),
      'core.fsmonitor': program,
      'core.sshCommand': program,
      'core.askPass': program,
      'credential.helper': program,
      'uploadpack.packObjectsHook': program,
      'protocol.ext.allow': 'always',
      'gc.auto': '1',
      'core.alternateRefsCommand': program,
    }
    for (const [key, value] of Object.entries(config)) await git(['--git-dir', bench.store, 'config', key, value])
    await repository.commit({ a: '2' })
    expect(await bench.files()).toEqual({ a: '2', b: 'x' })
    expect(await readdir(bench.directory)).not.toContain('proof')
  })
})

async function readOnce() {
  const repository = await GitRepository.make()
  await repository.commit({ a: '1', b: 'x' })
  const server = await GitHttpServer.start(dirname(repository.path))
  onTestFinished(() => server.close())
  const directory = scratch()
  const bench = await GitBench.open({ url: repository.url }, { directory })
  await bench.read()
  return { repository, bench, directory, server }
}

async function eachPack(store: string, extension: string, damage: (path: string) => Promise<void>): Promise<void> {
  const directory = join(store, 'objects/pack')
  for (const name of await readdir(directory)) {
    if (!name.endsWith(extension)) continue
    await chmod(join(directory, name), 0o600)
    await damage(join(directory, name))
  }
}

function kill(pid: number): number {
  try {
    process.kill(pid, 'SIGKILL')
    return 1
  } catch {
    return 0
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, durationMs))
}

async function turnedIntoFile(path: string): Promise<void> {
  await rm(path, { recursive: true })
  await writeFile(path, 'x')
}
