import { credential, v } from '../../../lib/base/schema.ts'
import { findKeys } from './aws/keys.ts'
import { signedHeaders, type AwsKeys } from './aws/sign.ts'
import { REGION, STS_VERSION, stsAddress } from './aws/sts.ts'
import { logInAt, mountOption, readCredential, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

const REGION_WANTED = 'a region such as eu-west-1'
const SERVER_ID = 'the value that the server wants in X-Vault-AWS-IAM-Server-ID'

export const awsOptions = v.pipe(
  v.strictObject({
    method: v.literal('aws'),
    mount: mountOption('aws'),
    role: v.optional(text('the name of a role')),
    region: v.optional(v.pipe(v.string(REGION_WANTED), v.regex(REGION, REGION_WANTED))),
    serverId: v.optional(v.pipe(v.string(SERVER_ID), v.regex(/^[\x21-\x7e]+$/, SERVER_ID))),
    accessKeyId: v.optional(credential()),
    secretAccessKey: v.optional(credential()),
    sessionToken: v.optional(credential()),
  }),
  v.check(
    ({ accessKeyId, secretAccessKey, sessionToken }) =>
      (accessKeyId === undefined) === (secretAccessKey === undefined) &&
      (sessionToken === undefined || accessKeyId !== undefined),
    'both accessKeyId and secretAccessKey, or none of the three keys',
  ),
)

const BODY = `Action=GetCallerIdentity&Version=${STS_VERSION}`

/** `auth: { method: aws, role: … }`: a question to AWS about who we are is signed and not sent; the server sends it, and believes what
 *  AWS answers. */
export class AwsMethod implements AuthMethod {
  readonly name = 'aws'
  readonly isFresh = true
  readonly #options: v.InferOutput<typeof awsOptions>

  constructor(options: v.InferOutput<typeof awsOptions>) {
    this.#options = options
  }

  async account(world: LoginWorld): Promise<string> {
    const { mount, role, accessKeyId } = this.#options
    // Without a role the server takes the one that is named as whose keys these are.
    const own = accessKeyId === undefined ? '' : (await readCredential(world, accessKeyId, 'accessKeyId')).reveal()
    const { AWS_ROLE_ARN = '', AWS_PROFILE = '' } = world.environment
    return JSON.stringify([mount, role ?? own, AWS_ROLE_ARN, AWS_PROFILE])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role, region, serverId } = this.#options
    const keys = await this.#keys(world, signal)
    const url = `${stsAddress(region)}/`
    const headers = new Map([['content-type', 'application/x-www-form-urlencoded; charset=utf-8']])
    // What was signed for one server cannot be used at another.
    if (serverId !== undefined) headers.set('x-vault-aws-iam-server-id', serverId)
    const scope = { region: region ?? 'us-east-1', service: 'sts' }
    const signed = signedHeaders({ host: new URL(url).host, headers, body: BODY }, keys, scope, world.nowMs())
    const fields = {
      iam_http_request_method: 'POST',
      iam_request_url: base64(url),
      iam_request_body: base64(BODY),
      iam_request_headers: base64(JSON.stringify(Object.fromEntries(signed))),
      ...(role === undefined ? {} : { role }),
    }
    return await logInAt(world, `auth/${mount}/login`, fields, signal)
  }

  async #keys(world: LoginWorld, signal: AbortSignal): Promise<AwsKeys> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#options
    if (accessKeyId === undefined || secretAccessKey === undefined) return await findKeys(world, signal)
    return {
      accessKeyId: (await readCredential(world, accessKeyId, 'accessKeyId')).reveal(),
      secretAccessKey: await readCredential(world, secretAccessKey, 'secretAccessKey'),
      sessionToken: sessionToken === undefined ? undefined : await readCredential(world, sessionToken, 'sessionToken'),
    }
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
