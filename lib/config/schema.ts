/** What a configuration looks like. Relations between its parts are in `bundles.ts`, options of providers with their plugins. */
import { durationMs, fileMode, filePath, v } from '../base/schema.ts'
import { fromEntries } from './from.ts'
import { hookSchema } from './hooks.ts'
import { shrinkGuardSchema } from './shrink-guard.ts'
import { byKey, commandLine, httpUrl, nameSchema, statuses, timeout } from './words.ts'

/** Where what must outlive a crash is kept. */
export const STATE_DIRECTORY = '/var/lib/outrigger'
/** More generations than anybody looks back at. */
const KEEP_MAX = 1_000
/** The largest user or group id, (2^32)-2; the one above means "unchanged" to the system. */
const OWNER_ID_MAX = 4_294_967_294

const OWNER_WANT = 'the number or name of a user or group'

function owner(description: string) {
  return v.pipe(
    v.union(
      [
        v.pipe(v.number(), v.integer(), v.minValue(0, OWNER_WANT), v.maxValue(OWNER_ID_MAX, OWNER_WANT)),
        v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_.@-]*\$?$/, OWNER_WANT)),
      ],
      OWNER_WANT,
    ),
    v.description(description),
  )
}

const DELIMS_WANT = 'two different delimiters such as ["<<", ">>"]'

const syntax = {
  delims: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.nonEmpty('a delimiter that is not empty')), DELIMS_WANT),
      v.check(delims => delims.length === 2 && delims[0] !== delims[1], DELIMS_WANT),
      v.metadata({ description: 'What opens and closes an action.', examples: [['<<', '>>']] }),
    ),
    () => ['{{', '}}'],
  ),
  missingKey: v.optional(
    v.pipe(
      v.picklist(['error', 'default', 'zero']),
      v.description("What a missing key of a map does: an error, <no value>, or the type's zero value."),
    ),
    'error',
  ),
}

/** Contents may hold what must not be shown: a password in plain text is no good idea, but it is theirs. */
const content = v.pipe(
  v.string('a template as a string'),
  v.metadata({ sensitive: true, description: 'The template itself.', examples: ['Hello, {{ env "USER" }}'] }),
)

const forEach = {
  forEach: v.optional(
    v.pipe(
      v.string('one action such as {{ data "local://hosts.yaml" }}'),
      v.metadata({
        description:
          'One action whose value is a list or a map: each item of it gives one output. Then the path is a template as well.',
        examples: ['{{ data "local://hosts.yaml" }}'],
      }),
    ),
  ),
}

function patterns(description: string) {
  const want = 'a list of patterns such as ["**/*.conf"]'
  return v.optional(
    v.pipe(
      v.array(v.string('a pattern such as "**/*.conf"'), want),
      v.minLength(1, 'at least one pattern'),
      v.metadata({ description, examples: [['**/*.conf']] }),
    ),
  )
}

const everyFile = {
  path: v.pipe(
    v.string('a path'),
    v.metadata({
      description: 'Where the output goes: below the volume, or absolute without one; with forEach, a template.',
      examples: ['app.conf'],
    }),
  ),
  mode: v.optional(v.pipe(fileMode(), v.description('Permission bits as an octal string; 0600 when left out.'))),
  owner: v.optional(owner('The user that owns the output, by number or name.')),
  group: v.optional(owner('The group that owns the output, by number or name.')),
}

const fileSchema = byKey({
  template: v.strictObject({
    ...everyFile,
    template: v.pipe(
      filePath('the path of a template'),
      v.description('The file that holds the template; a relative path starts at the directory of this configuration.'),
    ),
    ...syntax,
    ...forEach,
  }),
  content: v.strictObject({ ...everyFile, content, ...syntax, ...forEach }),
  tree: v.strictObject({
    ...everyFile,
    tree: v.pipe(
      v.string('a reference such as "repo://conf.d"'),
      v.metadata({
        description: 'A directory of a provider, PROVIDER://PATH, published as it is.',
        examples: ['repo://conf.d'],
      }),
    ),
    include: patterns('Only files of the tree that one of these patterns matches; all when left out.'),
    exclude: patterns('No files of the tree that one of these patterns matches.'),
    render: v.optional(
      v.pipe(
        v.boolean(),
        v.description('Whether files that end in .tmpl are templates; the ending falls away from their names.'),
      ),
      false,
    ),
    ...syntax,
  }),
  from: v.strictObject({ ...everyFile, ...fromEntries }),
})

const checkSchema = v.strictObject({
  command: v.pipe(
    commandLine(),
    v.metadata({
      description: 'A program that must succeed; {staged} stands for the directory of the staged generation.',
      examples: [['nginx', '-t', '-c', '{staged}/nginx.conf']],
    }),
  ),
  timeout: timeout('30s'),
})

const PROBE_URL_WANT = 'a URL without a user and password'

const probeTimes = {
  for: v.optional(
    v.pipe(
      durationMs({ least: 1 }),
      v.description(
        'How long the application is watched after it was told; at the end it must be well. Nothing newer is published meanwhile.',
      ),
    ),
    '20s',
  ),
  every: v.optional(v.pipe(durationMs({ least: 1 }), v.description('How long to wait between two tries.')), '1s'),
  timeout: timeout('5s'),
}

const probeSchema = byKey({
  http: v.strictObject({
    http: v.pipe(
      httpUrl(),
      v.check(({ username, password }) => username === '' && password === '', PROBE_URL_WANT),
      v.transform(url => url.href),
      v.metadata({ description: 'The URL that must answer well.', examples: ['http://127.0.0.1:8080/healthz'] }),
    ),
    expect: v.optional(statuses('The statuses that mean "well"; 200 to 299 when left out.')),
    ...probeTimes,
  }),
  command: v.strictObject({
    command: v.pipe(commandLine(), v.description('The program that must succeed.')),
    ...probeTimes,
  }),
})

const SETTLE_WANT = 'a longest wait that is not shorter than the quiet one, got a shorter one'
const QUIET_MS = 200
const LONGEST_MS = 5_000

const settleSchema = v.pipe(
  v.strictObject({
    quiet: v.optional(v.pipe(durationMs(), v.description('How long nothing may change before a pass begins; 200ms.'))),
    longest: v.optional(
      v.pipe(durationMs(), v.description('After which a pass begins though changes keep coming; 5s.')),
    ),
  }),
  v.transform(({ quiet, longest }) => ({
    quietMs: quiet ?? Math.min(QUIET_MS, longest ?? QUIET_MS),
    longestMs: longest ?? Math.max(LONGEST_MS, quiet ?? 0),
  })),
  v.check(({ quietMs, longestMs }) => longestMs >= quietMs, SETTLE_WANT),
)

const DIRECTORY_WANT = 'an absolute path, or one that begins with ./ or ../'

/** Where outputs go. They never go where nobody meant them to: a first slash that is missing is a slip, `./` is meant. */
function outputDirectory() {
  return v.pipe(
    v.string(DIRECTORY_WANT),
    v.regex(/^(?:\/|\.\.?\/).*[^/]|^\.\.?$/s, DIRECTORY_WANT),
    filePath(DIRECTORY_WANT),
    v.check(path => path !== '/', 'a directory of its own'),
  )
}

const bundleSchema = v.strictObject({
  volume: v.optional(
    v.pipe(
      outputDirectory(),
      v.metadata({
        description:
          'The directory that shows one complete generation at a time; left out, outputs have absolute paths.',
        examples: ['/run/config'],
      }),
    ),
  ),
  files: v.pipe(v.array(fileSchema), v.minLength(1, 'at least one file'), v.description('What is published together.')),
  checks: v.optional(v.pipe(v.array(checkSchema), v.description('What a generation must pass before it is seen.')), []),
  hooks: v.optional(v.pipe(v.array(hookSchema), v.description('How the application is told.')), []),
  probe: v.optional(probeSchema),
  settle: v.optional(settleSchema, {}),
  keep: v.optional(
    v.pipe(
      v.number('how many generations stay, such as 3'),
      v.integer('a whole number of generations'),
      v.minValue(1, 'at least 1 generation'),
      v.maxValue(KEEP_MAX, `at most ${KEEP_MAX} generations`),
      v.description('How many generations stay on the volume, the visible one included.'),
    ),
    3,
  ),
  keepAge: v.optional(
    v.pipe(durationMs(), v.description('How long a generation stays at least after it was replaced.')),
    '60s',
  ),
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
  v.metadata({
    description: 'Where health and metrics are served, read-only; port 0 is any free one.',
    examples: ['127.0.0.1:9102'],
  }),
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
  seal: v.optional(v.picklist(['all', 'leases', 'none'])),
  revokeOnShutdown: v.optional(v.boolean()),
  shrinkGuard: shrinkGuardSchema,
})

export const topSchema = v.strictObject({
  $schema: v.optional(
    v.pipe(v.string(), v.description('Where editors find the schema of this file; of no meaning here.')),
  ),
  providers: v.optional(
    v.pipe(v.record(nameSchema, providerSchema), v.description('The backends by a name of your own.')),
    {},
  ),
  bundles: v.pipe(
    v.record(nameSchema, bundleSchema),
    v.check(bundles => Object.keys(bundles).length > 0, 'at least one bundle'),
    v.description('The files that belong together, by a name of your own.'),
  ),
  state: v.optional(
    v.pipe(outputDirectory(), v.description('The private directory for the journal and what providers keep.')),
    STATE_DIRECTORY,
  ),
  stateKey: v.optional(
    v.pipe(
      filePath('the path of a file with a key'),
      v.metadata({
        description:
          'A file with at least 32 random bytes, from which the key is made that seals what is kept for a restart; a key of its own in the state directory when left out.',
        examples: ['/run/secrets/outrigger-key'],
      }),
    ),
  ),
  admin: v.optional(v.strictObject({ listen })),
})
