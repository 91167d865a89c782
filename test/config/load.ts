import { credential, durationMs, filePath, v } from '../../lib/base/schema.ts'
import { ConfigError, loadConfig, type Config, type ConfigProblem } from '../../lib/config/config.ts'
import type { ProviderPlugin, Question } from '../../lib/provider.ts'

const question: Question = {
  ask: () => {
    throw new Error('a configuration asks nothing')
  },
  answer: () => null,
}

function plugin(type: string, options: v.GenericSchema, extra: Partial<ProviderPlugin> = {}): ProviderPlugin {
  return {
    type,
    options,
    reference: question,
    functions: {},
    open: () => Promise.reject(new Error('not opened')),
    ...extra,
  }
}

/** Types of providers that are made for these tests, with one option of each kind that schemas can have. */
export const plugins: ReadonlyMap<string, ProviderPlugin> = new Map(
  [
    plugin('env', v.strictObject({})),
    plugin(
      'git',
      v.strictObject({
        url: v.string('a URL'),
        ref: v.optional(v.string()),
        poll: v.optional(durationMs({ least: 100 })),
        key: v.optional(filePath()),
        token: v.optional(credential()),
      }),
      { tree: question },
    ),
    plugin(
      'vault',
      v.pipe(
        v.strictObject({
          address: v.string('an address'),
          retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
          tags: v.optional(v.array(v.string())),
          labels: v.optional(v.record(v.string(), v.string())),
          secrets: v.optional(v.pipe(v.record(v.string(), v.string()), v.metadata({ sensitive: true }))),
          either: v.optional(v.union([v.number(), v.strictObject({ of: v.string() })])),
          level: v.optional(v.picklist(['low', 'high'])),
          auth: v.optional(
            v.variant('method', [
              v.strictObject({ method: v.literal('kubernetes'), role: v.string() }),
              v.strictObject({ method: v.literal('token'), token: credential() }),
            ]),
          ),
        }),
        v.check(({ address }) => address !== 'nowhere', 'an address that leads somewhere'),
      ),
    ),
  ].map((each): [string, ProviderPlugin] => [each.type, each]),
)

export const FILE = '/etc/outrigger/outrigger.yaml'

export interface LoadOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Contents of files by absolute path; an error's code for one that cannot be read. */
  readonly files?: Readonly<Record<string, string | { readonly code: string }>>
}

/** Loads a configuration in a world that holds nothing but what is given. */
export function load(text: string, { environment = {}, files = {} }: LoadOptions = {}): Promise<Config> {
  return loadConfig(
    { file: FILE, text },
    {
      plugins,
      environment,
      async readFile(path) {
        const content = files[path] ?? { code: 'ENOENT' }
        if (typeof content === 'string') return Buffer.from(content)
        throw Object.assign(new Error(`${content.code}: ${path}`), content)
      },
    },
  )
}

/** The problems of a configuration; none when it is right. What is thrown but a `ConfigError` fails the test. */
export async function problemsOf(text: string, options?: LoadOptions): Promise<readonly ConfigProblem[]> {
  try {
    await load(text, options)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const MARK = '▶'

/** A text with a `▶` before each place where a problem is expected: the text without them, and the places. */
export function marked(text: string): {
  readonly text: string
  readonly places: readonly (readonly [number, number])[]
} {
  const pieces = text.split(MARK)
  const places: [number, number][] = []
  let before = ''
  for (const piece of pieces.slice(0, -1)) {
    before += piece
    places.push([before.split('\n').length, before.length - before.lastIndexOf('\n')])
  }
  return { text: pieces.join(''), places }
}
