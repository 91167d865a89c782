import type { ProviderPlugin } from '../../lib/provider.ts'
import { gitOptions, type GitOptions } from './options.ts'
import { GitProvider } from './provider.ts'
import { fileQuestion, treeQuestion } from './questions.ts'

/** Reads one commit of a Git repository, polled: `type: git`. */
export const git: ProviderPlugin<GitOptions> = {
  type: 'git',
  options: gitOptions,
  reference: fileQuestion,
  tree: treeQuestion,
  functions: {},
  open: (options, host) => GitProvider.open(options, host),
}
