/** A whole provider, to start your own from: it reads `PATH` from an HTTP server, as text. `providers/README.md` explains it.
 *
 *  What is known without a connection is here, and is all that a start loads: the options, and what templates can ask. The
 *  rest is loaded by `open`. */
import type { ProviderPlugin, Question } from '../../lib/provider.ts'
import { templateOptions, type TemplateOptions } from './options.ts'

/** `ref "NAME://some/path"`: the text at the path. Both halves are pure: they look at their arguments alone. */
const text: Question = {
  ask(provider, args) {
    const [path] = args
    if (args.length !== 1 || typeof path !== 'string') throw new Error('want one path, a string')
    if (path === '' || !path.isWellFormed()) throw new Error(`want a path on the server, got ${JSON.stringify(path)}`)
    // Equal fields make the same dependency, and people see them: the name and the path say it all, and neither is a secret.
    return { provider, kind: 'text', path, params: {} }
  },
  answer({ value }) {
    if (typeof value !== 'string') throw new TypeError('a reading of a path is a text')
    return value
  },
}

export const template: ProviderPlugin<TemplateOptions> = {
  type: 'template',
  options: templateOptions,
  reference: text,
  functions: {},
  async open(options, host) {
    const { TemplateProvider } = await import('./provider.ts')
    return new TemplateProvider(options, host)
  },
}
