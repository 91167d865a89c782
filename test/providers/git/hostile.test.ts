/** What a configuration, a remote and a commit may try, beyond what the options' schema refuses: defence in depth, each with
 *  the validation taken away. */
import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../lib/base/clock.ts'
import { silentLog } from '../../../lib/base/log.ts'
import { v } from '../../../lib/base/schema.ts'
import type { GitOptions } from '../../../providers/git/options.ts'
import { git as plugin } from '../../../providers/git/plugin.ts'
import { GitHttpServer } from '../../support/git-http-server.ts'
import { GitRepository } from '../../support/git-repository.ts'
import { noteIn } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { GitBench } from './harness.ts'

describe('git is not made to run a program by', () => {
  test.each<[string, (proof: string, url: string) => Partial<GitOptions>]>([
    ['a ref that is an option', proof => ({ ref: `--upload-pack=touch ${proof}` })],
    ['a full ref that is an option', proof => ({ ref: `--upload-pack=touch ${proof};refs/heads/main` })],
    ['a URL that is an option', proof => ({ address: { url: `--upload-pack=touch ${proof}`, transport: 'file' } })],
    ['a URL of a remote helper', proof => ({ address: { url: `ext::touch ${proof}`, transport: 'https' } })],
    [
      'a URL of a remote helper, as a local one',
      proof => ({ address: { url: `ext::touch ${proof}`, transport: 'file' } }),
    ],
    [
      'a host that is an option',
      proof => ({ address: { url: `ssh://-oProxyCommand=touch%20${proof}/x`, transport: 'ssh' } }),
    ],
    ['a local URL that says it is remote', (_proof, url) => ({ address: { url, transport: 'https' } })],
    ['a path that is an option', proof => ({ path: `--output=${proof}` })],
  ])('%s', async (_name, hostile) => {
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const directory = scratch()
    const proof = join(directory, 'proof')
    const options = { ...v.parse(plugin.options, { url: repository.url }), ...hostile(proof, repository.url) }
    const provider = await plugin.open(options, {
      name: 'repo',
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      environment: {},
      configDirectory: directory,
      directory: async () => directory,
      note: noteIn(new Map()),
    })
    const readings = provider.watch(plugin.reference.ask('repo', ['a']), new AbortController().signal)
    await expect(readings[Symbol.asyncIterator]().next()).rejects.toHaveProperty('code')
    await expect(access(proof)).rejects.toThrow('ENOENT')
  })
})

describe('a commit with hostile names is refused', () => {
  test.each(['.git', '.GIT', '..', '.', 'git~1', 'a/b'])('%j as the name of a file', async name => {
    const repository = await GitRepository.make()
    const server = await GitHttpServer.start(dirname(repository.path))
    onTestFinished(() => server.close())
    await repository.commit({ ok: '1' })
    const blob = await repository.hash('main:ok')
    const tree = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')])
    const hash = (await repository.git(['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], tree))
      .toString()
      .trim()
    const commit = `tree ${hash}\nauthor T <t@example.org> 1 +0000\ncommitter T <t@example.org> 1 +0000\n\nx\n`
    const id = (await repository.git(['hash-object', '-t', 'commit', '-w', '--stdin'], Buffer.from(commit)))
      .toString()
      .trim()
    await repository.git(['update-ref', 'refs/heads/main', id])
    for (const url of [repository.url, `${server.url}/repository.git`]) {
      const bench = await GitBench.open({ url, ref: 'main' })
      expect((await bench.failure()).code).toBe('invalid-data')
    }
  })

  test('and so is a .gitmodules that names a program', async () => {
    const repository = await GitRepository.make()
    await repository.commit({ '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n', a: '1' })
    expect((await (await GitBench.open({ url: repository.url })).failure()).code).toBe('invalid-data')
  })
})

describe('attributes of a commit change nothing', () => {
  test('no filter, no line ends, no export substitution', async () => {
    const repository = await GitRepository.make()
    const text = '$Id$ $Format:%H$\r\none\ntwo\r\n'
    await repository.commit({
      '.gitattributes': '* text eol=crlf ident filter=evil export-subst working-tree-encoding=UTF-16\n',
      a: text,
    })
    expect((await (await GitBench.open({ url: repository.url })).files()).a).toBe(text)
  })
})
