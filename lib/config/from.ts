/** Files that are a value without a template: `{ path, from, format }`. */
import { v } from '../base/schema.ts'
import type { FileSource } from '../bundle.ts'
import { parseReference, type Reference } from '../dependency.ts'
import { DIALECTS, FORMAT_NAMES, type OutputFormat } from '../format.ts'
import { listed, type Finding, type Mapping, type Path } from './finding.ts'

function keyList(description: string) {
  return v.pipe(
    v.array(v.string('the name of a key'), 'a list of keys'),
    v.minLength(1, 'at least one key'),
    v.description(description),
  )
}

const dialects = [...DIALECTS.dotenv, ...DIALECTS.ini, ...DIALECTS.xml]

export const fromEntries = {
  from: v.pipe(
    v.string('a reference such as "vault://kv/app/db"'),
    v.metadata({
      description:
        'What is published without a template, PROVIDER://PATH[#FIELD]; a text is parsed by the extension of its path.',
      examples: ['vault://kv/app/db'],
    }),
  ),
  format: v.pipe(
    v.picklist(FORMAT_NAMES),
    v.description('What it is written as; raw is a single value, byte by byte.'),
  ),
  dialect: v.optional(
    v.pipe(
      v.picklist(dialects),
      v.description(
        `Who reads it, where readers of a format differ: for dotenv ${listed(DIALECTS.dotenv)}, for ini ${listed(DIALECTS.ini)}, for xml ${listed(DIALECTS.xml)}; the first when left out.`,
      ),
    ),
  ),
  section: v.optional(
    v.pipe(
      v.string('the name of a section'),
      v.nonEmpty('the name of a section'),
      v.description('For ini: the section of the keys that are in no map.'),
    ),
  ),
  root: v.optional(
    v.pipe(
      v.string('the name of an element'),
      v.regex(/^(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]*$/, 'the name of an element'),
      v.description('For xml: the name of the outermost element; configuration when left out.'),
    ),
  ),
  only: v.optional(keyList('The keys that are published; each must be there.')),
  except: v.optional(keyList('The keys that are not published.')),
  prefix: v.optional(
    v.pipe(v.string('what each name begins with'), v.description('What the name of each key begins with.')),
  ),
  upper: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Whether keys are named as variables of an environment are: db-user is DB_USER.'),
    ),
  ),
}

/** What was found to be right, as the schema gives it. */
type FromInput = v.InferOutput<v.StrictObjectSchema<typeof fromEntries, undefined>>

export function buildFrom(file: FromInput): FileSource {
  const { from, only, except = [], prefix = '', upper = false } = file
  return {
    kind: 'from',
    reference: parseReference(from) as Reference,
    format: buildFormat(file),
    keys: { only, except, prefix, upper },
  }
}

function buildFormat({ format: name, dialect, section, root = 'configuration' }: FromInput): OutputFormat {
  switch (name) {
    case 'dotenv':
      return { name, dialect: chosen(DIALECTS.dotenv, dialect) }
    case 'ini':
      return { name, dialect: chosen(DIALECTS.ini, dialect), section }
    case 'xml':
      return { name, dialect: chosen(DIALECTS.xml, dialect), root }
    default:
      return { name }
  }
}

function chosen<const Dialect extends string>(
  known: readonly [Dialect, ...Dialect[]],
  dialect: string | undefined,
): Dialect {
  return known.find(each => each === dialect) ?? known[0]
}

/** Which options go with which format; the schema does not know. */
export function formatFindings(file: Mapping, path: Path): readonly Finding[] {
  const { format } = file
  if (file['from'] === undefined || !FORMAT_NAMES.some(name => name === format)) return []
  const name = format as OutputFormat['name']
  const known: readonly string[] = name in DIALECTS ? DIALECTS[name as keyof typeof DIALECTS] : []
  const findings: Finding[] = []
  const { dialect } = file
  if (typeof dialect === 'string' && dialects.some(each => each === dialect) && !known.includes(dialect)) {
    findings.push(
      known.length === 0
        ? { path: [...path, 'dialect'], at: 'key', message: `want no dialect for ${name}, got one`, hint: REMOVE }
        : { path: [...path, 'dialect'], message: `want ${listed(known)} for ${name}, got ${JSON.stringify(dialect)}` },
    )
  }
  const unfit = Object.entries(ONLY_FOR).filter(([key, formats]) => key in file && !formats.includes(name))
  return [
    ...findings,
    ...unfit.map(([key, formats]): Finding => {
      return {
        path: [...path, key],
        at: 'key',
        message: `want ${key} with ${listed(formats)} only, got it with ${name}`,
        hint: REMOVE,
      }
    }),
  ]
}

const REMOVE = 'remove it, or choose another format'
const OF_MAPS: readonly string[] = FORMAT_NAMES.filter(name => name !== 'raw')
const ONLY_FOR: Readonly<Record<string, readonly string[]>> = {
  section: ['ini'],
  root: ['xml'],
  only: OF_MAPS,
  except: OF_MAPS,
  prefix: OF_MAPS,
  upper: OF_MAPS,
}
