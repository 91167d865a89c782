import type { ProviderPlugin } from '../../lib/provider.ts'
import { fileOptions, type FileOptions } from './options.ts'
import { fileQuestion, treeQuestion } from './questions.ts'

/** Reads a directory of values, or a single file, and sees each change: `type: file`. */
export const file: ProviderPlugin<FileOptions> = {
  type: 'file',
  options: fileOptions,
  reference: fileQuestion,
  tree: treeQuestion,
  functions: {},
  isLocal: true,
  async open(options, host) {
    const { FileProvider } = await import('./provider.ts')
    return new FileProvider(options, host)
  },
}
