/** Where the keys for AWS come from, in the order in which AWS's own libraries look. They are looked for at every login, as most of
 *  them end within hours. */
import { join } from 'node:path'
import { Secret } from '../../../../lib/base/secret.ts'
import { ProviderError, systemCode } from '../../../../lib/errors.ts'
import type { Fields } from '../../secret.ts'
import { addressOf, askCloud, askCloudForFields, fieldIn, variableOf } from '../cloud.ts'
import { readSecretFile } from '../credentials.ts'
import type { LoginWorld } from '../method.ts'
import { parseProfiles } from './profiles.ts'
import type { AwsKeys } from './sign.ts'
import { webIdentityKeys } from './web-identity.ts'

/** Gives keys; undefined where it is not set up. */
type Source = (world: LoginWorld, signal: AbortSignal) => Promise<AwsKeys | undefined>

const SOURCES: readonly Source[] = [environmentKeys, webIdentityKeys, profileKeys, containerKeys]

/** Rejects with a ProviderError that says where it looked. */
export async function findKeys(world: LoginWorld, signal: AbortSignal): Promise<AwsKeys> {
  for (const source of SOURCES) {
    const keys = await source(world, signal)
    if (keys !== undefined) return keys
  }
  try {
    return await instanceKeys(world, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ProviderError)) throw error
    throw new ProviderError(error.code, `no keys for AWS are configured, and ${error.message}`, {
      cause: error,
      hint: 'looked for accessKeyId, AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, a profile of ~/.aws/credentials, a container and an instance',
    })
  }
}

async function environmentKeys(world: LoginWorld): Promise<AwsKeys | undefined> {
  const accessKeyId = variableOf(world, 'AWS_ACCESS_KEY_ID')
  const secretAccessKey = variableOf(world, 'AWS_SECRET_ACCESS_KEY')
  const sessionToken = variableOf(world, 'AWS_SESSION_TOKEN')
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ProviderError('bad-config', 'the environment has one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only')
  }
  return keysOf(accessKeyId, secretAccessKey, sessionToken)
}

function keysOf(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined): AwsKeys {
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
  }
}

async function profileKeys(world: LoginWorld): Promise<AwsKeys | undefined> {
  const home = variableOf(world, 'HOME')
  const path = variableOf(world, 'AWS_SHARED_CREDENTIALS_FILE') ?? (home && join(home, '.aws', 'credentials'))
  if (path === undefined) return undefined
  const what = "AWS's shared credentials"
  const text = await readSecretFile(world, path, what).catch(error => {
    if (systemCode((error as Error).cause) === 'ENOENT') return undefined
    throw error
  })
  const name = variableOf(world, 'AWS_PROFILE')
  const profile = text === undefined ? undefined : parseProfiles(text.reveal()).get(name ?? 'default')
  const accessKeyId = profile?.get('aws_access_key_id')
  const secretAccessKey = profile?.get('aws_secret_access_key')
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return keysOf(accessKeyId, secretAccessKey, profile?.get('aws_session_token'))
  }
  // Without a name nobody has asked for the file.
  if (name === undefined && profile === undefined) return undefined
  throw new ProviderError('unauthenticated', `${what} in ${path} have no keys of the profile ${name ?? 'default'}`, {
    hint: 'want aws_access_key_id and aws_secret_access_key there; profiles that ask somebody else (SSO, a process) are not read',
  })
}

/** Of a task (ECS) or a Pod (EKS), from an address beside the container. */
async function containerKeys(world: LoginWorld, signal: AbortSignal): Promise<AwsKeys | undefined> {
  const what = "the container's keys for AWS"
  const relative = variableOf(world, 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')
  // What does not begin with a slash would go on with the host's name.
  if (relative?.startsWith('/') === false) {
    throw new ProviderError('bad-config', "the environment's AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path")
  }
  const url = relative === undefined ? addressOf(world, 'AWS_CONTAINER_CREDENTIALS_FULL_URI') : `${TASK}${relative}`
  if (url === undefined) return undefined
  const file = variableOf(world, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE')
  const text = variableOf(world, 'AWS_CONTAINER_AUTHORIZATION_TOKEN')
  const given = text === undefined ? undefined : new Secret(text)
  const token = file === undefined ? given : await readSecretFile(world, file, `the token for ${what}`)
  const headers = new Map(token === undefined ? [] : [['authorization', token]])
  return keysIn(what, await askCloudForFields(world, what, { url, headers }, signal))
}

const TASK = 'http://169.254.170.2'
const INSTANCE = 'http://169.254.169.254'
/** A session is for the two questions that follow. */
const SESSION_SECONDS = '60'

/** Of a machine (EC2), from its metadata; with a session, as its older version without one is switched off in many places. */
async function instanceKeys(world: LoginWorld, signal: AbortSignal): Promise<AwsKeys> {
  const what = "the instance's metadata"
  if (/^true$/i.test(variableOf(world, 'AWS_EC2_METADATA_DISABLED') ?? '')) {
    throw new ProviderError('unauthenticated', `${what} are switched off by AWS_EC2_METADATA_DISABLED`)
  }
  const base = `${addressOf(world, 'AWS_EC2_METADATA_SERVICE_ENDPOINT') ?? INSTANCE}/latest`
  const wanted = new Map([['x-aws-ec2-metadata-token-ttl-seconds', SESSION_SECONDS]])
  const session = await askCloud(world, what, { url: `${base}/api/token`, method: 'PUT', headers: wanted }, signal)
  const headers = new Map([['x-aws-ec2-metadata-token', new Secret(session.trim())]])
  const roles = `${base}/meta-data/iam/security-credentials/`
  const [role = ''] = (await askCloud(world, what, { url: roles, headers }, signal)).trim().split('\n')
  if (role === '') throw new ProviderError('unauthenticated', `${what} have no role: the instance has no profile`)
  const of = { url: `${roles}${encodeURIComponent(role.trim())}`, headers }
  return keysIn(what, await askCloudForFields(world, what, of, signal))
}

/** What containers and instances are told. An instance is told with a success, too, that it may not have its role. */
function keysIn(what: string, fields: Fields): AwsKeys {
  const code = fields.get('Code')
  if (code !== undefined && code !== 'Success') throw new ProviderError('unauthenticated', `${what}: not given`)
  return keysOf(
    fieldIn(what, fields, 'AccessKeyId'),
    fieldIn(what, fields, 'SecretAccessKey'),
    fieldIn(what, fields, 'Token'),
  )
}
