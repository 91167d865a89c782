import type { ProviderPlugin } from '../lib/provider.ts'
import { consul } from './consul/plugin.ts'
import { env } from './env/plugin.ts'
import { etcd } from './etcd/plugin.ts'
import { file } from './file/plugin.ts'
import { git } from './git/plugin.ts'
import { vault } from './vault/plugin.ts'

/** The built-in provider types by the word after `type:`. A plugin is small, and what it opens is not: that is loaded by the
 *  first use, so that a start pays only for the types that its configuration has. */
export const plugins: ReadonlyMap<string, ProviderPlugin> = new Map(
  [consul, env, etcd, file, git, vault].map((plugin): [string, ProviderPlugin] => [
    plugin.type,
    plugin as ProviderPlugin,
  ]),
)
