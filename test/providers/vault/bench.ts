import { onTestFinished } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import type { Value } from '../../../lib/base/value.ts'
import type { Dependency } from '../../../lib/dependency.ts'
import type { Provider, ProviderHost, Question } from '../../../lib/provider.ts'
import { absent, type Reading } from '../../../lib/reading.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import type { VaultServer } from '../../support/vault-server.ts'
import { Watching } from '../workbench.ts'

/** A question of the plugin's by its name; `ref` is the reference. */
function questionOf(name: string): Question {
  const question = name === 'ref' ? vault.reference : vault.functions[name]
  if (question === undefined) throw new TypeError(`no question ${name}`)
  return question
}

/** A provider on a server, closed with the test. */
export class Bench {
  readonly provider: Provider
  readonly logged: readonly string[]

  private constructor(provider: Provider, logged: readonly string[]) {
    this.provider = provider
    this.logged = logged
  }

  static async open(
    server: Pick<VaultServer, 'url' | 'ca' | 'rootToken'>,
    options: Readonly<Record<string, unknown>> = {},
    overrides: Partial<ProviderHost> = {},
  ): Promise<Bench> {
    const { host, logged } = providerHost(scratch(), overrides)
    const given = {
      address: server.url,
      auth: { method: 'token', token: server.rootToken },
      poll: '100ms',
      reread: '100ms',
      ...(server.ca === undefined ? {} : { tls: { ca: server.ca } }),
      ...options,
    }
    const provider = await vault.open(v.parse(vault.options, given), host)
    onTestFinished(() => provider.close())
    return new Bench(provider, logged)
  }

  /** A watch of what a template asks with these arguments. */
  watch(name: string, ...args: readonly Value[]): Asking {
    return new Asking(this.provider, questionOf(name), args)
  }

  /** The first answer to what a template asks. Rejects with what the watch throws. */
  async ask(name: string, ...args: readonly Value[]): Promise<unknown> {
    const asking = this.watch(name, ...args)
    return asking.answerOf(await this.read(name, ...args))
  }

  /** The first reading of what a template asks. */
  async read(name: string, ...args: readonly Value[]): Promise<Reading> {
    return await this.readOf(questionOf(name).ask('mine', args))
  }

  async readOf(dependency: Dependency): Promise<Reading> {
    const controller = new AbortController()
    for await (const reading of this.provider.watch(dependency, controller.signal)) {
      controller.abort(new Error('enough'))
      return reading
    }
    throw new Error('no reading')
  }
}

class Asking {
  readonly #provider: Provider
  readonly #question: Question
  readonly #args: readonly Value[]
  #watching: Watching | undefined

  constructor(provider: Provider, question: Question, args: readonly Value[]) {
    this.#provider = provider
    this.#question = question
    this.#args = args
  }

  /** The watch, started by the first look at it; one that fails starts again. */
  get watching(): Watching {
    this.#watching ??= new Watching(this.#provider, this.#question.ask('mine', this.#args), true)
    return this.#watching
  }

  get answer(): unknown {
    return this.answerOf(this.watching.latest)
  }

  answerOf(reading: Reading): unknown {
    if (reading.value === absent && this.#question.answersAbsent !== true) return absent
    return this.#question.answer(reading, this.#args)
  }
}
