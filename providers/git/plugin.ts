import type { ProviderPlugin } from '../../lib/provider.ts'
import { gitOptions, type GitOptions } from './options.ts'
import { fileQuestion, treeQuestion } from './questions.ts'

/** Reads one commit of a Git repository, polled: `type: git`. */
export const git: ProviderPlugin<GitOptions> = {
  type: 'git',
  options: gitOptions,
  reference: fileQuestion,
  tree: treeQuestion,
  functions: {},
  async open(options, host) {
    const { GitProvider } = await import('./provider.ts')
    return await GitProvider.open(options, host)
  },
}
