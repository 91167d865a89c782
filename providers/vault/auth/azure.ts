import { v } from '../../../lib/base/schema.ts'
import { Secret } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import { mapOf, textOf, type Fields } from '../secret.ts'
import { addressOf, askCloudForFields, fieldIn, variableOf } from './cloud.ts'
import { logInAt, mountOption, readSecretFile, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

export const azureOptions = v.strictObject({
  method: v.literal('azure'),
  mount: mountOption('azure'),
  role: text('the name of a role'),
  resource: v.optional(text('the resource that the server is configured with'), 'https://management.azure.com/'),
  clientId: v.optional(text('the client id of a managed identity')),
})

const METADATA = 'http://169.254.169.254'
const TOKEN_VERSION = '2018-02-01'
const INSTANCE_VERSION = '2021-05-01'
const APP_VERSION = '2019-08-01'
const AUTHORITY = 'https://login.microsoftonline.com'

/** `auth: { method: azure, role: …, resource: … }`: with a token of a workload's identity or of an app's where the environment has one, else
 *  with that of the machine, and which machine it is. */
export class AzureMethod implements AuthMethod {
  readonly name = 'azure'
  readonly isFresh = true
  readonly #options: v.InferOutput<typeof azureOptions>

  constructor(options: v.InferOutput<typeof azureOptions>) {
    this.#options = options
  }

  async account({ environment }: LoginWorld): Promise<string> {
    const { mount, role, resource, clientId = environment['AZURE_CLIENT_ID'] ?? '' } = this.#options
    return JSON.stringify([mount, role, resource, clientId, environment['AZURE_TENANT_ID'] ?? ''])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role } = this.#options
    const { jwt, machine } = await this.#identity(world, signal)
    return await logInAt(world, `auth/${mount}/login`, { role, jwt: jwt.reveal(), ...machine }, signal)
  }

  /** In the order in which Azure's own libraries look. */
  async #identity(world: LoginWorld, signal: AbortSignal): Promise<Identity> {
    const file = variableOf(world, 'AZURE_FEDERATED_TOKEN_FILE')
    if (file !== undefined) return await this.#ofWorkload(world, file, signal)
    const header = variableOf(world, 'IDENTITY_HEADER')
    const endpoint = header === undefined ? undefined : addressOf(world, 'IDENTITY_ENDPOINT')
    if (header === undefined || endpoint === undefined) return await this.#ofMachine(world, signal)
    return await this.#ofApp(world, { endpoint, header: new Secret(header) }, signal)
  }

  /** A token of an app's identity (App Service, Functions, Container Apps), from an address beside it. */
  async #ofApp(
    world: LoginWorld,
    { endpoint, header }: { readonly endpoint: string; readonly header: Secret },
    signal: AbortSignal,
  ): Promise<Identity> {
    const what = "the app's identity"
    const headers = new Map([['x-identity-header', header]])
    const request = { url: `${endpoint}?${this.#query(APP_VERSION)}`, headers }
    return { jwt: tokenIn(what, await askCloudForFields(world, what, request, signal)), machine: {} }
  }

  /** A token of the machine's metadata, and what the server asks Azure with whether it is the machine. */
  async #ofMachine(world: LoginWorld, signal: AbortSignal): Promise<Identity> {
    const what = "the machine's metadata"
    const base = `${addressOf(world, 'AZURE_POD_IDENTITY_AUTHORITY_HOST') ?? METADATA}/metadata`
    const headers = new Map([['metadata', 'true']])
    const token = { url: `${base}/identity/oauth2/token?${this.#query(TOKEN_VERSION)}`, headers }
    const jwt = tokenIn(what, await askCloudForFields(world, what, token, signal))
    const instance = { url: `${base}/instance?api-version=${INSTANCE_VERSION}`, headers }
    const compute = mapOf((await askCloudForFields(world, what, instance, signal)).get('compute'))
    const machine = {
      subscription_id: textOf(compute, 'subscriptionId'),
      resource_group_name: textOf(compute, 'resourceGroupName'),
      vm_name: textOf(compute, 'name'),
      vmss_name: textOf(compute, 'vmScaleSetName'),
    }
    return { jwt, machine }
  }

  #query(version: string): string {
    const { resource, clientId } = this.#options
    const query = new URLSearchParams({ 'api-version': version, resource })
    if (clientId !== undefined) query.set('client_id', clientId)
    return query.toString()
  }

  /** A token for one that an issuer keeps current in a file, as AKS gives one to each service account with an identity. */
  async #ofWorkload(world: LoginWorld, file: string, signal: AbortSignal): Promise<Identity> {
    const what = "the workload's identity"
    const tenant = variableOf(world, 'AZURE_TENANT_ID')
    const client = this.#options.clientId ?? variableOf(world, 'AZURE_CLIENT_ID')
    if (tenant === undefined || client === undefined) {
      throw new ProviderError(
        'bad-config',
        `${what}: AZURE_FEDERATED_TOKEN_FILE is set, and not all that belongs to it`,
        {
          hint: 'want AZURE_TENANT_ID, and AZURE_CLIENT_ID or auth.clientId',
        },
      )
    }
    const assertion = await readSecretFile(world, file, 'the federated token')
    const fields = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion.reveal(),
      client_id: client,
      scope: `${this.#options.resource}/.default`,
    })
    const request = {
      url: `${addressOf(world, 'AZURE_AUTHORITY_HOST') ?? AUTHORITY}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`,
      method: 'POST',
      headers: new Map([['content-type', 'application/x-www-form-urlencoded']]),
      body: fields.toString(),
    }
    return { jwt: tokenIn(what, await askCloudForFields(world, what, request, signal)), machine: {} }
  }
}

interface Identity {
  readonly jwt: Secret
  /** Nothing of a workload or an app: its token says all that there is to say. */
  readonly machine: Readonly<Record<string, string>>
}

function tokenIn(what: string, fields: Fields): Secret {
  return new Secret(fieldIn(what, fields, 'access_token'))
}
