import { unavailableFunction, type TemplateFunction, type Unavailable } from '../../function.ts'

const ON_TIME: Unavailable = {
  reason: 'it would change with each execution',
  hint: 'use timestamp LAYOUT, or toDate for a time that is given',
}
const ON_CHANCE: Unavailable = {
  reason: 'it would change with each execution, and so would what depends on it',
  hint: 'keep a secret in a provider',
}
const ON_ZONES: Unavailable = {
  reason: 'there are no time zones here',
  hint: 'a time that toDate gives has the method Format',
}
const ON_MISTAKES: Unavailable = { reason: 'it takes no notice of a wrong duration', hint: 'use mustDateModify' }

const REFUSALS: Readonly<Record<string, Unavailable>> = {
  now: ON_TIME,
  date: ON_TIME,
  htmlDate: ON_TIME,
  date_in_zone: ON_ZONES,
  dateInZone: ON_ZONES,
  htmlDateInZone: ON_ZONES,
  date_modify: ON_MISTAKES,
  dateModify: ON_MISTAKES,
  randAlphaNum: ON_CHANCE,
  randAlpha: ON_CHANCE,
  randAscii: ON_CHANCE,
  randNumeric: ON_CHANCE,
  randBytes: ON_CHANCE,
  uuidv4: ON_CHANCE,
  env: { reason: "consul-template's takes its place", hint: 'use env' },
  expandenv: { reason: 'a template names each variable that it reads', hint: 'use env for each variable' },
  getHostByName: { reason: 'a template asks no network', hint: 'use the function of a provider' },
}

/** Sprig's functions that consul-template leaves out, too: what they give depends on more than their arguments. They are errors that
 *  say what to use instead. */
export const refusedFunctions: readonly TemplateFunction<unknown>[] = Object.entries(REFUSALS).map(([name, refusal]) =>
  unavailableFunction(name, refusal),
)
