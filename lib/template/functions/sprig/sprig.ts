import type { TemplateFunction } from '../../function.ts'
import type { Time } from '../time.ts'
import { certificateFunctions } from './certificates.ts'
import { cryptoFunctions } from './crypto.ts'
import { dateFunctions } from './dates.ts'
import { defaultFunctions } from './defaults.ts'
import { dictFunctions } from './dicts.ts'
import { encodingFunctions } from './encoding.ts'
import { jsonFunctions } from './json.ts'
import { listFunctions } from './lists.ts'
import { mathFunctions } from './math.ts'
import { pathFunctions } from './paths.ts'
import { refusedFunctions } from './refused.ts'
import { regexpFunctions } from './regexps.ts'
import { stringFunctions } from './strings.ts'
import { typeFunctions } from './types.ts'
import { urlFunctions } from './urls.ts'
import { versionFunctions } from './versions.ts'
import { wordFunctions } from './words.ts'

/** The functions of sprig 3.3 that consul-template has: each as `sprig_NAME`, and as `NAME` where that is free. `slice` is
 *  Go's own; other names that consul-template has itself are given to it where the tables are joined. */
export function sprigFunctions(): readonly TemplateFunction<Time>[] {
  return both
}

const all: readonly TemplateFunction<Time>[] = [
  ...stringFunctions,
  ...wordFunctions,
  ...listFunctions,
  ...dictFunctions,
  ...mathFunctions,
  ...typeFunctions,
  ...defaultFunctions,
  ...encodingFunctions,
  ...jsonFunctions,
  ...pathFunctions,
  ...dateFunctions,
  ...cryptoFunctions,
  ...certificateFunctions,
  ...regexpFunctions,
  ...urlFunctions,
  ...versionFunctions,
  ...refusedFunctions,
]

const both: readonly TemplateFunction<Time>[] = [
  ...all.filter(({ name }) => name !== 'slice'),
  ...all.map(each => ({ ...each, name: `sprig_${each.name}`, signature: `sprig_${each.signature}` })),
]
