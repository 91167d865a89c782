import { Credential } from '../lib/base/schema.ts'
import { Secret } from '../lib/base/secret.ts'
import type { HookOptions } from '../lib/bundle.ts'
import type { Config } from '../lib/config/config.ts'
import { headerTexts } from '../lib/notify/headers.ts'
import type { AppWorld } from './world.ts'

/** Variables of a hook that are shorter (`true`, `8080`) would mask half of every line and are no secrets. */
const VARIABLE_LENGTH_MIN = 8

/** Makes the credentials of a configuration known to the redactor, for the case that a server or a command says them back to
 *  us. Of one in a file, it is the text of now: what it is rotated to later, only its provider or hook knows. */
export async function hideCredentials(
  { providers, bundles }: Config,
  { redactor, readFile }: Pick<AppWorld, 'redactor' | 'readFile'>,
): Promise<void> {
  // Whoever needs a file that cannot be read says so.
  const now = async (secret: Secret | Credential) =>
    secret instanceof Secret ? secret : await secret.read(path => readFile(path)).catch(() => undefined)
  for (const secret of [...providers.values()].flatMap(({ options }) => secretsIn(options))) {
    const text = await now(secret)
    if (text !== undefined) redactor.add(text.reveal())
  }
  const hooks = [...bundles.values()].flatMap(bundle => bundle.hooks)
  for (const header of hooks.flatMap(hook => (hook.kind === 'http' ? [...hook.headers.values()] : []))) {
    for (const text of headerTexts((await now(header))?.reveal() ?? '')) redactor.add(text)
  }
  for (const text of hooks.flatMap(textsOf)) redactor.add(text)
}

function secretsIn(value: unknown): readonly (Secret | Credential)[] {
  if (value instanceof Secret || value instanceof Credential) return [value]
  if (value instanceof Map) return [...value.values()].flatMap(secretsIn)
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : []
}

function textsOf(hook: HookOptions): readonly string[] {
  return hook.kind === 'command'
    ? Object.values(hook.environment).filter(text => text.length >= VARIABLE_LENGTH_MIN)
    : []
}
