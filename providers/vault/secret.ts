/** An answer of the server as templates see it: consul-template's types, with the names and the order of their fields. */
import { Struct, type Float, type Uint, type Value } from '../../lib/base/value.ts'
import type { Lease } from '../../lib/reading.ts'
import { leaseId, type LeaseId } from './lease-id.ts'

export type Fields = ReadonlyMap<string, Value>

const NONE: Fields = new Map()

/** What `secret` gives. What the server leaves out is what Go has for nothing: an empty map or list, 0, false, nil. */
export function secretOf(body: Value | undefined): Struct {
  const fields = mapOf(body) ?? NONE
  return struct('dependency.Secret', {
    RequestID: textOf(fields, 'request_id'),
    LeaseID: textOf(fields, 'lease_id'),
    LeaseDuration: numberOf(fields, 'lease_duration'),
    Renewable: fields.get('renewable') === true,
    Data: mapOf(fields.get('data')) ?? NONE,
    Warnings: listOf(fields.get('warnings')),
    Auth: authOf(mapOf(fields.get('auth'))),
    WrapInfo: wrapInfoOf(mapOf(fields.get('wrap_info'))),
  })
}

function authOf(auth: Fields | undefined): Struct | null {
  if (auth === undefined) return null
  return struct('dependency.SecretAuth', {
    ClientToken: textOf(auth, 'client_token'),
    Accessor: textOf(auth, 'accessor'),
    Policies: listOf(auth.get('policies')),
    Metadata: mapOf(auth.get('metadata')) ?? NONE,
    LeaseDuration: numberOf(auth, 'lease_duration'),
    Renewable: auth.get('renewable') === true,
  })
}

function wrapInfoOf(info: Fields | undefined): Struct | null {
  if (info === undefined) return null
  return struct('dependency.SecretWrapInfo', {
    Token: textOf(info, 'token'),
    TTL: numberOf(info, 'ttl'),
    CreationTime: textOf(info, 'creation_time'),
    WrappedAccessor: textOf(info, 'wrapped_accessor'),
  })
}

function struct(name: string, fields: Readonly<Record<string, Value>>): Struct {
  return new Struct(name, new Map(Object.entries(fields)))
}

/** The data of a secret, as the server gave it. */
export function dataOf(secret: Struct): Fields {
  return secret.fields.get('Data') as Fields
}

/** What must not be seen of a KV v2 secret: not its times, nor the id of the request, which take a redactor's room from what matters. */
export function versionedSecretsIn(secret: Struct): readonly Value[] {
  const data = dataOf(secret)
  const custom = mapOf(data.get('metadata'))?.get('custom_metadata')
  return [data.get('data') ?? null, custom ?? null]
}

/** What makes two secrets the same, as a text: everything that a template can use, without what differs each time it is read. */
export function contentOf(secret: Struct): string {
  return ['Data', 'Auth', 'WrapInfo'].map(name => spell(secret.fields.get(name) ?? null)).join()
}

/** A text that tells values and their types apart; the order in which a map came does not matter. */
function spell(value: Value): string {
  if (typeof value === 'bigint') return `int ${value}`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(spell).join()}]`
  if (value instanceof Map) return spellFields([...(value as Fields)].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  if (value instanceof Struct) return `struct ${spellFields(value.fields)}`
  return `${value.constructor.name} ${String((value as Float | Uint).value)}`
}

function spellFields(fields: Iterable<readonly [string, Value]>): string {
  let spelled = '{'
  for (const [name, item] of fields) spelled += `${JSON.stringify(name)}:${spell(item)},`
  return `${spelled}}`
}

/** The lease that came with an answer, or that of the token in it; or, of what the server gives without a lease and ends all the
 *  same, when that is.
 *  @param namespace in which it is, where that is not the provider's own */
export function leaseOf(secret: Struct, namespace: string | undefined, nowMs: number): Lease | undefined {
  const auth = secret.fields.get('Auth')
  const accessor = auth instanceof Struct ? textOf(auth.fields, 'Accessor') : ''
  if (auth instanceof Struct && accessor !== '')
    return leaseIn(auth.fields, { kind: 'token', id: accessor, namespace }, nowMs)
  const id = textOf(secret.fields, 'LeaseID')
  return id === '' ? undefined : leaseIn(secret.fields, { kind: 'lease', id, namespace }, nowMs)
}

function leaseIn(fields: Fields, id: LeaseId, nowMs: number): Lease | undefined {
  const durationMs = numberOf(fields, 'LeaseDuration') * 1_000
  if (durationMs <= 0) return undefined
  return { id: leaseId(id), durationMs, renewable: fields.get('Renewable') === true, endsAtMs: nowMs + durationMs }
}

/** Of what was written for: a certificate or a secret id that came without a lease, and says when it ends. */
export function endOf(secret: Struct, nowMs: number): Lease | undefined {
  const data = dataOf(secret)
  const isCertificate = data.has('certificate') && numberOf(data, 'expiration') > 0
  const durationMs = isCertificate
    ? numberOf(data, 'expiration') * 1_000 - nowMs
    : numberOf(data, data.has('secret_id') ? 'secret_id_ttl' : '') * 1_000
  if (durationMs <= 0) return undefined
  return { id: '', durationMs, renewable: false, endsAtMs: nowMs + durationMs }
}

export function mapOf(value: Value | undefined): Fields | undefined {
  return value instanceof Map ? (value as Fields) : undefined
}

export function textOf(fields: Fields | undefined, name: string): string {
  const value = fields?.get(name)
  return typeof value === 'string' ? value : ''
}

export function numberOf(fields: Fields | undefined, name: string): number {
  const value = fields?.get(name)
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0
}

function listOf(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : []
}
