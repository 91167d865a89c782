/** The home of valibot, and the few schemas that every configuration needs. Messages are ours, made from a path and what was
 *  expected, because valibot's echo the value they received. */
import { resolve } from 'node:path'
import * as v from 'valibot'
import { parseDurationMs } from './duration.ts'
import { Secret } from './secret.ts'

export { v }

/** A schema that takes anything and gives a `T`, or issues. */
export type Schema<T> = v.GenericSchema<unknown, T>

/** What a schema may know beside its input. It travels as a part of valibot's own configuration, through every schema inside. */
export interface SchemaContext {
  /** Where relative paths start, absolute. Without it they stay relative. */
  readonly directory?: string | undefined
}

/** The path of a file or directory; a relative one starts at the context's directory. */
export function filePath(want = 'a path') {
  return v.pipe(
    v.string(want),
    v.check(text => text !== '' && !text.includes('\0'), want),
    v.rawTransform(({ dataset, config }) => resolveIn(config, dataset.value)),
  )
}

/** The schema with a context for all that is inside it. `safeParse` itself passes on only what it knows. */
export function inContext<T>(schema: Schema<T>, context: SchemaContext & v.Config<v.BaseIssue<unknown>>): Schema<T> {
  return v.config(schema, context)
}

function resolveIn(config: object, path: string): string {
  const { directory } = config as SchemaContext
  return directory === undefined ? path : resolve(directory, path)
}

/** A duration as Go writes it (`10s`, `1m30s`), as milliseconds. */
export function durationMs({ least = 0 }: { readonly least?: number } = {}) {
  return v.pipe(
    v.string('a duration such as 10s or 1m30s'),
    v.check(
      text => {
        const ms = parseDurationMs(text)
        return ms !== undefined && ms >= least && ms <= DURATION_MS_MAX
      },
      least > 0 ? `a duration such as 10s, at least ${least}ms` : 'a duration such as 10s or 1m30s',
    ),
    v.transform(text => parseDurationMs(text) as number),
    v.metadata({ examples: ['10s'] }),
  )
}

/** A hundred years; more is a slip of the finger, and infinite for a long enough row of digits. */
const DURATION_MS_MAX = 100 * 365 * 24 * 3_600_000

/** Permission bits as an octal string, `"0640"`. A bare number is refused: YAML 1.2 reads 0640 as six hundred and forty. */
export function fileMode() {
  return v.pipe(
    v.string('permission bits as an octal string such as "0640"'),
    v.regex(/^0?[0-7]{3,4}$/, 'permission bits as an octal string such as "0640"'),
    v.transform(text => Number.parseInt(text, 8)),
    v.metadata({ examples: ['0640'] }),
  )
}

/** A text that must not be seen, or `file:PATH`, read anew each time it is needed so that it can be rotated. */
export class Credential {
  readonly #source: { readonly text: Secret } | { readonly path: string }
  constructor(source: { readonly text: Secret } | { readonly path: string }) {
    this.#source = source
  }
  /** The path of the file that holds it, where it is one. */
  get path(): string | undefined {
    return 'path' in this.#source ? this.#source.path : undefined
  }
  /** The credential of now; a trailing line break of a file is dropped. Rejects with the system's error on an unreadable file. */
  async read(readFile: (path: string) => Promise<Uint8Array>): Promise<Secret> {
    if ('text' in this.#source) return this.#source.text
    const bytes = await readFile(this.#source.path)
    return new Secret(
      Buffer.from(bytes)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
    )
  }
}

/** A credential: its text (usually `${NAME}`, from the environment) or `file:PATH`, where a relative path starts at the context's
 *  directory. Marked sensitive in the JSON Schema. */
export function credential() {
  return v.pipe(
    v.string(CREDENTIAL),
    v.check(text => text !== '' && text !== 'file:' && !text.includes('\0'), CREDENTIAL),
    v.rawTransform(
      ({ dataset, config }) =>
        credentialFile(dataset.value, config) ?? new Credential({ text: new Secret(dataset.value) }),
    ),
    v.metadata({ sensitive: true, examples: ['${TOKEN}', 'file:/run/secrets/token'] }),
  )
}

/** What `file:PATH` means, or undefined for any other text. @param config valibot's, with the context */
export function credentialFile(text: string, config: object): Credential | undefined {
  return text.startsWith(FILE) ? new Credential({ path: resolveIn(config, text.slice(FILE.length)) }) : undefined
}

const FILE = 'file:'
const CREDENTIAL = 'a credential: its text, ${NAME} from the environment, or file:PATH'
