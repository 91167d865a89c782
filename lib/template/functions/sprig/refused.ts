import type { TemplateFunction } from '../../function.ts'

const ON_TIME = 'it would change with each execution; use timestamp LAYOUT, or toDate for a time that is given'
const ON_CHANCE = 'it would change with each execution, and so would what depends on it; keep a secret in a provider'
const ON_ZONES = 'there are no time zones here; a time that toDate gives has the method Format'

const REASONS: Readonly<Record<string, string>> = {
  now: ON_TIME,
  date: ON_TIME,
  htmlDate: ON_TIME,
  date_in_zone: ON_ZONES,
  dateInZone: ON_ZONES,
  htmlDateInZone: ON_ZONES,
  date_modify: 'use mustDateModify',
  dateModify: 'use mustDateModify',
  randAlphaNum: ON_CHANCE,
  randAlpha: ON_CHANCE,
  randAscii: ON_CHANCE,
  randNumeric: ON_CHANCE,
  randBytes: ON_CHANCE,
  uuidv4: ON_CHANCE,
  env: 'use env, which is among the functions without the prefix',
  expandenv: 'use env for each variable',
  getHostByName: 'a template asks no network; use the function of a provider',
}

/** Sprig's functions that consul-template leaves out, too: what they give depends on more than their arguments. They are errors that
 *  say what to use instead. */
export const refusedFunctions: readonly TemplateFunction<unknown>[] = Object.entries(REASONS).map(([name, reason]) => ({
  name,
  signature: `${name} …`,
  parameters: [],
  variadic: 'any',
  call() {
    throw new Error(`not available: ${reason}`)
  },
}))
