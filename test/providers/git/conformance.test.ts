import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { git } from '../../../providers/git/plugin.ts'
import { GitHttpServer } from '../../support/git-http-server.ts'
import { GitRepository } from '../../support/git-repository.ts'
import { providerConformance, type ConformanceFixture } from '../conformance.ts'
import type { GitOptions } from '../../../providers/git/options.ts'

// A read asks the remote with a process or two, and a burst is a commit each.
const traits = { missing: 'answer', burst: 20 } as const

providerConformance(
  'git (file)',
  async () => {
    const repository = await emptyRepository()
    const away = `${repository.path}.away`
    return {
      ...fixtureOf(repository),
      options: { url: repository.url, ref: 'main', poll: '100ms' },
      breakBackend: () => rename(repository.path, away),
      mendBackend: () => rename(away, repository.path),
      close: async () => {},
    }
  },
  traits,
)

providerConformance(
  'git (HTTP)',
  async () => {
    const repository = await emptyRepository()
    const server = await GitHttpServer.start(dirname(repository.path))
    const password = 'SENTINEL-77ab'
    server.credentials = `bot:${password}`
    return {
      ...fixtureOf(repository),
      options: {
        url: `${server.url}/repository.git`,
        ref: 'main',
        poll: '100ms',
        auth: { username: 'bot', password },
      },
      credentials: [password, Buffer.from(`bot:${password}`).toString('base64')],
      breakBackend: async () => void (server.status = 503),
      mendBackend: async () => void (server.status = undefined),
      close: () => server.close(),
    }
  },
  traits,
)

/** A repository with a commit that holds nothing, so that there is a branch to read. */
async function emptyRepository(): Promise<GitRepository> {
  const repository = await GitRepository.make()
  await repository.commit({})
  return repository
}

function fixtureOf(repository: GitRepository): Omit<ConformanceFixture<GitOptions>, 'options' | 'close'> {
  return {
    plugin: git,
    write: async (path, content) => void (await repository.commit({ [path]: content })),
    remove: async path => void (await repository.commit({ [path]: null })),
    reference: path => [path],
  }
}
