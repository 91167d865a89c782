import { chown, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Tree } from '../../../lib/base/value.ts'
import type { Reading } from '../../../lib/reading.ts'
import { git as plugin } from '../../../providers/git/plugin.ts'
import { eventually } from '../../support/eventually.ts'
import { GitRepository } from '../../support/git-repository.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { scratch } from '../../support/scratch.ts'
import { countingGit, GitBench, textsOf } from './harness.ts'

const treeOf = (reading: Reading) => (reading.value as Tree).files

describe('a reading', () => {
  test('is one commit: its files with their modes, its hash as the revision', async () => {
    const repository = await GitRepository.make()
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
    const hash = await repository.commit({
      'a.conf': 'one\n',
      'bin/run': { executable: '#!/bin/sh\n' },
      'raw bytes': bytes,
      'wörld/ключ': '',
      link: { link: 'bin/run' },
    })
    const bench = await GitBench.open({ url: repository.url })
    const reading = await bench.read()
    expect(reading).toMatchObject({ revision: hash, sensitive: false })
    const files = treeOf(reading)
    expect([...files.keys()]).toEqual(['a.conf', 'bin/run', 'link', 'raw bytes', 'wörld/ключ'])
    expect(Buffer.from(files.get('raw bytes')?.content ?? []).equals(bytes)).toBe(true)
    expect(files.get('a.conf')?.mode).toBe(0o644)
    expect(files.get('link')).toBe(files.get('bin/run'))
    expect(files.get('link')?.mode).toBe(0o755)
  })

  test('is of the configured directory only', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ 'a/b/c': '1', 'a/b/d/e': '2', 'a/x': '3', y: '4' })
    const bench = await GitBench.open({ url: repository.url, path: './a/b/' })
    expect(await bench.files()).toEqual({ c: '1', 'd/e': '2' })
  })

  test('is sensitive where the configuration says so', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const bench = await GitBench.open({ url: repository.url, sensitive: true })
    expect((await bench.read()).sensitive).toBe(true)
  })

  test('of a plain path is as good as one of a file URL, and so is one of a repository of another user', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const bench = await GitBench.open({ url: repository.path })
    expect(await bench.files()).toEqual({ a: '1' })
    if (process.getuid?.() !== 0) return
    for (const name of ['', ...(await readdir(repository.path, { recursive: true }))]) {
      await chown(join(repository.path, name), 65_534, 65_534)
    }
    const other = await GitBench.open({ url: repository.path })
    expect(await other.files()).toEqual({ a: '1' })
  })

  test('of a repository with SHA-256 is made in a store that was for SHA-1', async () => {
    const [one, two] = [await GitRepository.make(), await GitRepository.make({ format: 'sha256' })]
    await one.commit({ a: '1' })
    const hash = await two.commit({ a: '2' })
    const directory = scratch()
    await (await GitBench.open({ url: one.url }, { directory })).read()
    const bench = await GitBench.open({ url: two.url }, { directory })
    expect((await bench.read()).revision).toBe(hash)
    expect(await bench.files()).toEqual({ a: '2' })
  })

  test('leaves submodules out and says so once', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1', 'sub/module': { submodule: 'a'.repeat(40) } })
    const bench = await GitBench.open({ url: repository.url })
    expect(await bench.files()).toEqual({ a: '1' })
    await repository.commit({ a: '2' })
    expect(await bench.files()).toEqual({ a: '2' })
    expect(bench.logged.filter(line => line.includes('sub/module'))).toHaveLength(1)
  })

  test('takes LFS pointers for what they are, and says so once', async () => {
    const repository = await GitRepository.make()
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`
    await repository.commit({ big: pointer, a: 'version 1' })
    const bench = await GitBench.open({ url: repository.url })
    expect(await bench.files()).toEqual({ big: pointer, a: 'version 1' })
    await repository.commit({ more: `${pointer}x` })
    await bench.read()
    expect(bench.logged.filter(line => line.includes('LFS'))).toHaveLength(1)
    expect(bench.logged.join('')).toContain('"big"')
  })

  test.each([
    [{ up: { link: '../../etc/passwd' } }, 'up'],
    [{ 'a/b': { link: '/etc/passwd' } }, 'a/b'],
  ])('is refused when a link leaves the tree (%j)', async (files, named) => {
    const repository = await GitRepository.make()
    await repository.commit({ ok: '1', ...files })
    const failure = await (await GitBench.open({ url: repository.url })).failure()
    expect(failure.code).toBe('invalid-data')
    expect(failure.message).toContain(JSON.stringify(named))
  })

  test('keeps what did not change the same object', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ same: 'x', moved: 'y', changed: '1' })
    const bench = await GitBench.open({ url: repository.url })
    const before = treeOf(await bench.read())
    await repository.commit({ moved: null, 'to/here': 'y', changed: '2' })
    const after = treeOf(await bench.read())
    expect(after.get('same')).toBe(before.get('same'))
    expect(after.get('to/here')).toBe(before.get('moved'))
    expect(after.get('changed')).not.toBe(before.get('changed'))
  })
})

describe('a ref', () => {
  test.each(['main', 'refs/heads/main', 'feature/with/slashes', 'light', 'annotated', 'refs/tags/annotated', 'HEAD'])(
    '%s is followed',
    async ref => {
      const repository = await GitRepository.make()
      const first = await repository.commit({ a: '1' })
      await repository.git(['branch', 'feature/with/slashes', 'main'])
      await repository.git(['tag', 'light', 'main'])
      await repository.tag('annotated')
      const bench = await GitBench.open({ url: repository.url, ref })
      expect((await bench.read()).revision).toBe(first)
      const second = await repository.commit({ a: '2' })
      await repository.git(['branch', '-f', 'feature/with/slashes', 'main'])
      await repository.git(['tag', '-f', 'light', 'main'])
      await repository.tag('annotated')
      expect((await bench.read()).revision).toBe(second)
      expect(await bench.files()).toEqual({ a: '2' })
    },
  )

  test('of a tag and a branch alike is the tag, as everywhere in git; a full name says which', async () => {
    const repository = await GitRepository.make()
    const one = await repository.commit({ a: '1' })
    await repository.git(['tag', 'both', 'main'])
    const two = await repository.commit({ a: '2' }, { branch: 'both' })
    const read = async (ref: string) => (await (await GitBench.open({ url: repository.url, ref })).read()).revision
    expect(await read('both')).toBe(one)
    expect(await read('refs/heads/both')).toBe(two)
  })

  test('that moves to an unrelated commit is followed, there and back', async () => {
    const repository = await GitRepository.make()
    const one = await repository.commit({ a: '1', b: '1' })
    const bench = await GitBench.open({ url: repository.url, ref: 'main' })
    await bench.read()
    await repository.commit({ c: '2' }, { force: true })
    expect(await bench.files()).toEqual({ c: '2' })
    await repository.git(['update-ref', 'refs/heads/main', one])
    expect(await bench.files()).toEqual({ a: '1', b: '1' })
  })

  test('that is not there is an error that names it, until it appears', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const bench = await GitBench.open({ url: repository.url, ref: 'release' })
    const failure = await bench.failure()
    expect(failure.code).toBe('invalid-data')
    expect(failure.message).toContain('"release"')
    await repository.commit({ a: '2' }, { branch: 'release' })
    expect(await bench.files()).toEqual({ a: '2' })
  })

  test('of an empty repository is an error, too', async () => {
    const repository = await GitRepository.make()
    expect((await (await GitBench.open({ url: repository.url })).failure()).code).toBe('invalid-data')
  })

  test('that is a short hash is told to be one', async () => {
    const repository = await GitRepository.make()
    const hash = await repository.commit({ a: '1' })
    const failure = await (await GitBench.open({ url: repository.url, ref: hash.slice(0, 12) })).failure()
    expect(failure.hint).toContain('full')
  })

  test('that is a tag of something else than a commit is an error', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    await repository.tag('odd', 'main:a')
    expect((await (await GitBench.open({ url: repository.url, ref: 'odd' })).failure()).code).toBe('invalid-data')
  })

  test('can be changed in the configuration on the same store', async () => {
    const repository = await GitRepository.make()
    const directory = scratch()
    await repository.commit({ a: '1' })
    await repository.commit({ a: '2' }, { branch: 'other' })
    const read = async (ref: string) => (await GitBench.open({ url: repository.url, ref }, { directory })).files()
    expect([await read('main'), await read('other'), await read('main')]).toEqual([{ a: '1' }, { a: '2' }, { a: '1' }])
  })
})

describe('a full hash', () => {
  test('is read once and then asked for no more', async () => {
    const repository = await GitRepository.make()
    const hash = await repository.commit({ a: '1' })
    await repository.commit({ a: '2' })
    const { environment, calls, forget } = countingGit()
    const clock = new FakeClock()
    const directory = scratch()
    const bench = await GitBench.open({ url: repository.url, ref: hash }, { clock, environment, directory })
    const controller = new AbortController()
    const readings = bench.watch(controller.signal)[Symbol.asyncIterator]()
    const first = await readings.next()
    expect(textsOf(first.value as Reading)).toEqual({ a: '1' })
    expect(calls().some(call => call.startsWith('ls-remote'))).toBe(false)
    forget()
    const second = readings.next()
    await clock.advance(24 * 3_600_000)
    expect(calls()).toEqual([])
    controller.abort(new Error('over'))
    await expect(second).rejects.toThrow('over')
    // After a restart the commit is in the store: no network is needed, not even a repository.
    await rm(repository.path, { recursive: true })
    const again = await GitBench.open({ url: repository.url, ref: hash }, { directory })
    expect(await again.files()).toEqual({ a: '1' })
  })

  test('of an annotated tag is the commit it names', async () => {
    const repository = await GitRepository.make()
    const hash = await repository.commit({ a: '1' })
    await repository.tag('v1')
    const tag = await repository.hash('refs/tags/v1')
    expect(tag).not.toBe(hash)
    expect((await (await GitBench.open({ url: repository.url, ref: tag })).read()).revision).toBe(hash)
  })

  test('that the remote does not have is an error', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const failure = await (await GitBench.open({ url: repository.url, ref: 'b'.repeat(40) })).failure()
    expect(failure.code).toBe('invalid-data')
  })
})

describe('polling', () => {
  test('starts one git process when nothing changed', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const { environment, calls, forget } = countingGit()
    const bench = await GitBench.open({ url: repository.url, ref: 'main' }, { environment })
    const first = await bench.read()
    forget()
    const second = await bench.read()
    expect(calls()).toHaveLength(1)
    expect(calls()[0]).toMatch(/^ls-remote /)
    expect(second.revision).toBe(first.revision)
    expect(second.value).toBe(first.value)
  })

  test('starts five for a change, however many files there are', async () => {
    const repository = await GitRepository.make()
    await repository.commit(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d${i % 7}/f${i}`, `${i}`])))
    const { environment, calls, forget } = countingGit()
    const bench = await GitBench.open({ url: repository.url }, { environment })
    expect(Object.keys(await bench.files())).toHaveLength(300)
    await repository.commit({ 'd0/f0': 'new' })
    forget()
    expect((await bench.files())['d0/f0']).toBe('new')
    expect(calls().map(call => call.split(' ')[0])).toEqual(['ls-remote', 'fetch', 'rev-parse', 'ls-tree', 'cat-file'])
  })

  test('goes on at its interval and sees a change', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const bench = await GitBench.open({ url: repository.url, poll: '100ms' })
    const seen: unknown[] = []
    const controller = new AbortController()
    const watching = (async () => {
      for await (const reading of bench.watch(controller.signal)) seen.push(textsOf(reading))
    })().catch(() => {})
    await eventually(() => expect(seen.length).toBeGreaterThan(2))
    await repository.commit({ a: '2' })
    await eventually(() => expect(seen.at(-1)).toEqual({ a: '2' }))
    controller.abort()
    await watching
  })
})

describe('questions', () => {
  test('all ask for the one dependency', () => {
    const { reference, tree } = plugin
    const ids = [reference.ask('repo', ['a']), reference.ask('repo', ['b/c']), tree?.ask('repo', ['d'])]
    expect(new Set(ids.map(id => JSON.stringify(id))).size).toBe(1)
  })

  test('take their part', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ 'values.yaml': 'a: 1\n', 'conf.d/x': '1', 'conf.d/y/z': '2', 'conf.dx': '3' })
    const reading = await (await GitBench.open({ url: repository.url })).read()
    expect(plugin.reference.answer(reading, ['values.yaml'])).toBe('a: 1\n')
    expect(plugin.reference.answer(reading, ['./conf.d//x'])).toBe('1')
    const part = plugin.tree?.answer(reading, ['conf.d/']) as Tree
    expect([...part.files.keys()]).toEqual(['x', 'y/z'])
    expect(part.files.get('x')).toBe(treeOf(reading).get('conf.d/x'))
    expect(plugin.tree?.answer(reading, [''])).toEqual(reading.value)
  })

  test.each([
    ['vales.yaml', 'values.yaml'],
    ['conf.d', 'directory'],
    ['x', 'conf.d/x'],
    ['nothing/like/it', 'values.yaml'],
  ])('of %s, which is no file, is answered by an error that says %s', async (path, said) => {
    const repository = await GitRepository.make()
    const hash = await repository.commit({ 'values.yaml': 'a: 1\n', 'conf.d/x': '1' })
    const reading = await (await GitBench.open({ url: repository.url })).read()
    for (const part of [path, said, hash.slice(0, 12)]) {
      expect(() => plugin.reference.answer(reading, [path])).toThrow(part)
    }
  })

  test('of a directory that is none is answered by an error', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ 'values.yaml': 'a: 1\n', 'conf.d/x': '1' })
    const reading = await (await GitBench.open({ url: repository.url })).read()
    expect(() => plugin.tree?.answer(reading, ['values.yaml'])).toThrow('is a file')
    expect(() => plugin.tree?.answer(reading, ['config.d'])).toThrow('conf.d is')
  })

  test.each([[[]], [['a', 'field']], [[7]], [['../a']], [['']], [['/a']]])(
    'with bad arguments are refused: %j',
    args => {
      expect(() => plugin.reference.ask('repo', args)).toThrow(Error)
    },
  )
})

describe('the configured directory', () => {
  test.each([
    ['missing', 'not there'],
    ['file', 'not a directory'],
    ['link', 'not a directory'],
    [':(glob)*', 'not there'],
  ])('%s is an error: %s; the store is kept', async (path, why) => {
    const repository = await GitRepository.make()
    await repository.commit({ file: '1', 'd/x': '2', link: { link: 'd' } })
    const { environment, calls } = countingGit()
    const bench = await GitBench.open({ url: repository.url, path }, { environment })
    const failure = await bench.failure()
    expect(failure).toMatchObject({ code: 'invalid-data' })
    expect(failure.message).toContain(why)
    expect(calls().filter(call => call.startsWith('fetch'))).toHaveLength(1)
  })
})

describe('check()', () => {
  test('says where the ref is, and fails with a reason and a next step', async () => {
    const repository = await GitRepository.make()
    const hash = await repository.commit({ a: '1' })
    const signal = new AbortController().signal
    const good = await GitBench.open({ url: repository.url, ref: 'main' })
    expect(await good.provider.check?.(signal)).toEqual({
      ok: true,
      message: `${repository.url}: main is at ${hash.slice(0, 12)}`,
    })
    const bad = await GitBench.open({ url: repository.url, ref: 'nope' })
    const health = await bad.provider.check?.(signal)
    expect(health?.ok).toBe(false)
    expect(health?.message).toContain('"nope"')
    const hashed = await GitBench.open({ url: repository.url, ref: hash })
    expect(await hashed.provider.check?.(signal)).toEqual({ ok: true, message: `${repository.url}: answers` })
  })
})

describe('git itself', () => {
  test('that is missing is a bad configuration with a hint', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const bench = await GitBench.open({ url: repository.url }, { environment: { PATH: scratch() } })
    const failure = await bench.failure()
    expect(failure.code).toBe('bad-config')
    expect(failure.hint).toContain('install git')
  })

  test('that is too old is refused', async () => {
    const directory = scratch()
    await writeFile(join(directory, 'git'), '#!/bin/sh\necho git version 2.25.1\n', { mode: 0o755 })
    const bench = await GitBench.open({ url: '/srv/none.git' }, { environment: { PATH: directory } })
    const failure = await bench.failure()
    expect(failure.code).toBe('bad-config')
    expect(failure.message).toContain('2.25')
  })

  test.each(['echo hello', 'exit 3'])('that does not say its version is a bad configuration (%s)', async script => {
    const directory = scratch()
    await writeFile(join(directory, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const bench = await GitBench.open({ url: '/srv/none.git' }, { environment: { PATH: directory } })
    expect(await bench.failure()).toMatchObject({
      code: 'bad-config',
      message: 'the git on the PATH does not say its version',
    })
  })

  test('that is not a program of this system is a bad configuration', async () => {
    const directory = scratch()
    await writeFile(join(directory, 'git'), 'x', { mode: 0o644 })
    const bench = await GitBench.open({ url: '/srv/none.git' }, { environment: { PATH: directory } })
    expect((await bench.failure()).code).toBe('bad-config')
  })
})
