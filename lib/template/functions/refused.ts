import { unavailableFunction, type TemplateFunction, type Unavailable } from '../function.ts'

const NO_NOMAD = 'there is no Nomad provider'
const ON_VARIABLES =
  'keep what it holds in Consul, Vault or etcd, or let a template of the Nomad job write it to a file, and use ref "NAME://PATH"'

const REFUSALS: Readonly<Record<string, Unavailable>> = {
  plugin: { reason: 'a template runs no programs', hint: 'let a provider fetch what the plugin gave' },
  writeToFile: { reason: 'a template writes no other files', hint: 'give each its own entry under files:' },
  file: {
    reason: 'a template reads no files by itself',
    hint: 'configure a file provider and use ref "NAME://PATH"',
  },
  nomadServices: {
    reason: NO_NOMAD,
    hint: 'let the Nomad job register its services in Consul, and use services of a consul provider',
  },
  nomadService: {
    reason: NO_NOMAD,
    hint: 'let the Nomad job register its services in Consul, and use service of a consul provider',
  },
  nomadVar: { reason: NO_NOMAD, hint: ON_VARIABLES },
  nomadVarExists: {
    reason: NO_NOMAD,
    hint: 'keep what it holds in Consul, and use keyExists or keyOrDefault of a consul provider',
  },
  nomadVarList: { reason: NO_NOMAD, hint: 'keep the values in Consul, and use tree of a consul provider' },
  nomadVarListSafe: { reason: NO_NOMAD, hint: 'keep the values in Consul, and use safeTree of a consul provider' },
}

/** Names that consul-template has and that are not here on purpose: they are errors that say what to use instead. */
export const refusedFunctions: readonly TemplateFunction<unknown>[] = Object.entries(REFUSALS).map(([name, refusal]) =>
  unavailableFunction(name, refusal),
)
