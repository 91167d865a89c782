import { Secret } from '../../../../lib/base/secret.ts'
import { ProviderError } from '../../../../lib/errors.ts'
import { addressOf, askCloud, variableOf } from '../cloud.ts'
import { readSecretFile } from '../credentials.ts'
import type { LoginWorld } from '../method.ts'
import type { AwsKeys } from './sign.ts'
import { stsAddress, STS_VERSION } from './sts.ts'

/** Keys for a token that an issuer keeps current in a file, as EKS gives one to each service account with a role. */
export async function webIdentityKeys(world: LoginWorld, signal: AbortSignal): Promise<AwsKeys | undefined> {
  const file = variableOf(world, 'AWS_WEB_IDENTITY_TOKEN_FILE')
  const role = variableOf(world, 'AWS_ROLE_ARN')
  if (file === undefined) return undefined
  if (role === undefined) {
    throw new ProviderError('bad-config', 'the environment has AWS_WEB_IDENTITY_TOKEN_FILE and no AWS_ROLE_ARN')
  }
  const what = 'the keys for AWS_WEB_IDENTITY_TOKEN_FILE'
  const token = await readSecretFile(world, file, 'the web identity')
  const fields = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: STS_VERSION,
    RoleArn: role,
    RoleSessionName: variableOf(world, 'AWS_ROLE_SESSION_NAME') ?? 'outrigger',
    WebIdentityToken: token.reveal(),
  })
  const region = variableOf(world, 'AWS_REGION') ?? variableOf(world, 'AWS_DEFAULT_REGION')
  const own = addressOf(world, 'AWS_ENDPOINT_URL_STS') ?? addressOf(world, 'AWS_ENDPOINT_URL')
  const request = {
    url: `${own ?? stsAddress(region)}/`,
    method: 'POST',
    headers: new Map([['content-type', 'application/x-www-form-urlencoded; charset=utf-8']]),
    body: fields.toString(),
  }
  const xml = await askCloud(world, what, request, signal)
  return {
    accessKeyId: elementIn(what, xml, 'AccessKeyId'),
    secretAccessKey: new Secret(elementIn(what, xml, 'SecretAccessKey')),
    sessionToken: new Secret(elementIn(what, xml, 'SessionToken')),
  }
}

/** The three that are wanted hold nothing that XML escapes. */
function elementIn(what: string, xml: string, name: string): string {
  const text = new RegExp(`<${name}>\\s*([^<&\\s]+)\\s*</${name}>`).exec(xml)?.[1]
  if (text !== undefined) return text
  throw new ProviderError('invalid-data', `${what}: the answer has no ${name}`)
}
