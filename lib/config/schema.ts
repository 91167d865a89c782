/** What a configuration looks like. Relations between its parts are in `bundles.ts`, options of providers with their plugins. */
import { durationMs, fileMode, filePath, v } from '../base/schema.ts'
import { hookSchema } from './hooks.ts'
import { byKey, commandLine, httpUrl, nameSchema, statuses } from './words.ts'

/** More generations than anybody looks back at. */
const KEEP_MAX = 1_000
/** The largest user or group id, (2^32)-2; the one above means "unchanged" to the system. */
const OWNER_ID_MAX = 4_294_967_294

const OWNER_WANT = 'the number or name of a user or group'

function owner() {
  return v.union(
    [
      v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(OWNER_ID_MAX)),
      v.pipe(
        v.string(),
        v.regex(/^[A-Za-z_0-9][A-Za-z0-9_.@-]*\$?$/),
        v.transform(name => (/^\d+$/.test(name) ? Number(name) : name)),
      ),
    ],
    OWNER_WANT,
  )
}

const DELIMS_WANT = 'two different delimiters such as ["<<", ">>"]'

const syntax = {
  delims: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.nonEmpty('a delimiter that is not empty'))),
      v.check(delims => delims.length === 2 && delims[0] !== delims[1], DELIMS_WANT),
      v.metadata({ examples: [['<<', '>>']] }),
    ),
  ),
  missingKey: v.optional(v.picklist(['error', 'default', 'zero'])),
}

/** Contents may hold what must not be shown: a password in plain text is no good idea, but it is theirs. */
const content = v.pipe(v.string('a template as a string'), v.metadata({ sensitive: true }))

const everyFile = {
  path: v.pipe(v.string('a path'), v.metadata({ examples: ['app.conf'] })),
  mode: v.optional(fileMode()),
  owner: v.optional(owner()),
  group: v.optional(owner()),
}

const fileSchema = byKey({
  template: v.strictObject({ ...everyFile, template: filePath('the path of a template'), ...syntax }),
  content: v.strictObject({ ...everyFile, content, ...syntax }),
  tree: v.strictObject({
    ...everyFile,
    tree: v.pipe(v.string('a reference such as "repo://conf.d"'), v.metadata({ examples: ['repo://conf.d'] })),
  }),
})

const checkSchema = v.strictObject({
  command: v.pipe(commandLine(), v.metadata({ examples: [['nginx', '-t', '-c', '{staged}/nginx.conf']] })),
  timeout: v.optional(durationMs({ least: 1 })),
})

const PROBE_URL_WANT = 'a URL without a user and password'

const probeTimes = {
  for: v.optional(durationMs({ least: 1 })),
  every: v.optional(durationMs({ least: 1 })),
  timeout: v.optional(durationMs({ least: 1 })),
}

const probeSchema = byKey({
  http: v.strictObject({
    http: v.pipe(
      httpUrl(),
      v.check(({ username, password }) => username === '' && password === '', PROBE_URL_WANT),
      v.transform(url => url.href),
    ),
    expect: v.optional(statuses()),
    ...probeTimes,
  }),
  command: v.strictObject({ command: commandLine(), ...probeTimes }),
})

const SETTLE_WANT = 'a longest wait that is not shorter than the quiet one, got a shorter one'
/** When no reading changes for so long, a pass begins. */
export const QUIET_MS = 200
export const LONGEST_MS = 5_000

const settleSchema = v.pipe(
  v.strictObject({ quiet: v.optional(durationMs()), longest: v.optional(durationMs()) }),
  v.transform(({ quiet, longest }) => ({
    quietMs: quiet ?? Math.min(QUIET_MS, longest ?? QUIET_MS),
    longestMs: longest ?? Math.max(LONGEST_MS, quiet ?? 0),
  })),
  v.check(({ quietMs, longestMs }) => longestMs >= quietMs, SETTLE_WANT),
)

/** Outputs never go where somebody did not mean them to: a slash that is missing at the front is a slip, `./` is meant. */
export function outputDirectory(want = 'an absolute path, or one that begins with ./ or ../') {
  return v.pipe(
    v.string(want),
    v.regex(/^(?:\/|\.\.?\/).*[^/]|^\.\.?$/s, want),
    filePath(want),
    v.check(path => path !== '/', want),
  )
}

export const bundleSchema = v.strictObject({
  volume: v.optional(outputDirectory()),
  files: v.pipe(v.array(fileSchema), v.minLength(1, 'at least one file')),
  checks: v.optional(v.array(checkSchema)),
  hooks: v.optional(v.array(hookSchema)),
  probe: v.optional(probeSchema),
  settle: v.optional(settleSchema),
  keep: v.optional(
    v.pipe(
      v.number('how many generations stay, such as 3'),
      v.integer('a whole number of generations'),
      v.minValue(1, 'at least 1 generation'),
      v.maxValue(KEEP_MAX, `at most ${KEEP_MAX} generations`),
    ),
  ),
  keepAge: v.optional(durationMs()),
})

export type BundleInput = v.InferOutput<typeof bundleSchema>
export type FileInput = BundleInput['files'][number]

const listen = v.pipe(
  v.string('an address such as "127.0.0.1:9102"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const parsed = parseListen(dataset.value)
    if (typeof parsed !== 'string') return parsed
    addIssue({ message: parsed })
    return NEVER
  }),
  v.metadata({ examples: ['127.0.0.1:9102'] }),
)

/** A host and a port, or what is wanted instead. */
function parseListen(text: string): { readonly host: string; readonly port: number } | string {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === '' || port > 65_535) {
    return text.split(':').length > 2 && !text.startsWith('[')
      ? 'a host and a port, an IPv6 address in brackets, such as "[::1]:9102"'
      : 'a host and a port such as "127.0.0.1:9102"'
  }
  const host = bracketed ?? plain ?? ''
  return host === '' ? 'a host before the port, 127.0.0.1 for this machine only' : { host, port }
}

/** A provider's own options are validated by its plugin. */
const providerSchema = v.looseObject({
  type: v.string('the type of the provider'),
  default: v.optional(v.boolean()),
})

export const topSchema = v.strictObject({
  providers: v.optional(v.record(nameSchema, providerSchema)),
  bundles: v.pipe(
    v.record(nameSchema, bundleSchema),
    v.check(bundles => Object.keys(bundles).length > 0, 'at least one bundle'),
  ),
  state: v.optional(outputDirectory()),
  admin: v.optional(v.strictObject({ listen })),
})
