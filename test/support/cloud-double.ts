/** A double of what clouds tell their machines, with the requests and answers of their documentation:
 *  - AWS: "Use the Instance Metadata Service", "Container credential provider", STS's AssumeRoleWithWebIdentity
 *  - Google: "Verify the identity of a VM instance"
 *  - Azure: "Use managed identities on a VM to acquire an access token", "Azure Instance Metadata Service", "How to use managed
 *    identities for App Service and Azure Functions" (its REST endpoint reference), and the client credentials flow of its
 *    identity platform with a federated credential */
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { claimsOf, jwtOf, seconds } from './jwt.ts'
import { serve } from './serve.ts'
import type { Json } from './vault-server.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

interface Told {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const NOT_FOUND: Told = { status: 404 }

export class CloudDouble {
  url = ''
  readonly seen: Asked[] = []
  /** Answers in its place. */
  fault: ((asked: Asked) => Told | undefined) | undefined
  /** Signs what it gives. */
  readonly key: KeyObject
  readonly publicKey: string
  /** The keys for AWS that it gives. */
  readonly awsKeys = { AccessKeyId: 'ASIADOUBLE', SecretAccessKey: 'a/secret+of=the-double', Token: 'session//token==' }
  /** What a container has to show. */
  readonly containerToken = randomBytes(8).toString('hex')
  /** What an app has to show. */
  readonly appHeader = randomBytes(8).toString('hex')
  /** What a web identity or a federated one has to be signed with. */
  readonly issuer = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #session = randomBytes(16).toString('base64')

  private constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.key = privateKey
    this.publicKey = publicKey.export({ format: 'pem', type: 'spki' })
  }

  /** One that ends with the test. */
  static async start(): Promise<CloudDouble> {
    const double = new CloudDouble()
    const { url } = await serve((request, response) => void double.#serve(request, response))
    double.url = url
    return double
  }

  /** A token of its issuer's. */
  identity(claims: Json): string {
    return jwtOf({ exp: seconds(600), ...claims }, this.issuer.privateKey)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { pathname: path, searchParams: query } = new URL(url, this.url)
    const asked = { method, path, query, headers, body }
    this.seen.push(asked)
    const told = this.fault?.(asked) ?? this.#answer(asked)
    response.writeHead(told.status ?? 200, told.headers).end(told.body)
  }

  #answer(asked: Asked): Told {
    const { path, method } = asked
    if (path.startsWith('/latest/')) return this.#instance(asked)
    if (path.startsWith('/computeMetadata/')) return this.#google(asked)
    if (path.startsWith('/metadata/')) return this.#azure(asked)
    if (path === '/container/keys') {
      return asked.headers.authorization === this.containerToken ? this.#awsKeys() : { status: 401 }
    }
    if (path === '/' && method === 'POST') return this.#sts(asked)
    if (path === '/msi/token') return this.#azureApp(asked)
    return path === '/tenant/oauth2/v2.0/token' ? this.#federated(asked) : NOT_FOUND
  }

  #instance({ path, method, headers }: Asked): Told {
    if (path === '/latest/api/token') {
      const isSession = method === 'PUT' && /^\d+$/.test(String(headers['x-aws-ec2-metadata-token-ttl-seconds']))
      return isSession ? { body: this.#session } : { status: 400 }
    }
    if (headers['x-aws-ec2-metadata-token'] !== this.#session) return { status: 401 }
    if (path === '/latest/meta-data/iam/security-credentials/') return { body: 'web' }
    return path === '/latest/meta-data/iam/security-credentials/web' ? this.#awsKeys() : NOT_FOUND
  }

  #awsKeys(): Told {
    const times = { LastUpdated: new Date().toISOString(), Expiration: new Date(Date.now() + 3_600_000).toISOString() }
    return { body: JSON.stringify({ Code: 'Success', Type: 'AWS-HMAC', ...this.awsKeys, ...times }) }
  }

  #sts({ body }: Asked): Told {
    const fields = new URLSearchParams(body)
    const claims = claimsOf(fields.get('WebIdentityToken') ?? '', [this.#issuerKey()])
    const isRight = fields.get('Action') === 'AssumeRoleWithWebIdentity' && fields.get('Version') === '2011-06-15'
    if (!isRight || claims === undefined || fields.get('RoleArn') !== 'arn:aws:iam::123456789012:role/web') {
      return { status: 400, body: `<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>` }
    }
    const { AccessKeyId, SecretAccessKey, Token } = this.awsKeys
    const keys = `<SessionToken>${Token}</SessionToken><SecretAccessKey>${SecretAccessKey}</SecretAccessKey>`
    const credentials = `<Credentials>${keys}<AccessKeyId>${AccessKeyId}</AccessKeyId></Credentials>`
    const result = `<AssumeRoleWithWebIdentityResult>\n  ${credentials}\n</AssumeRoleWithWebIdentityResult>`
    return { body: `<AssumeRoleWithWebIdentityResponse>${result}</AssumeRoleWithWebIdentityResponse>` }
  }

  #google({ path, query, headers }: Asked): Told {
    if (headers['metadata-flavor'] !== 'Google') return { status: 403 }
    if (path !== '/computeMetadata/v1/instance/service-accounts/default/identity') return NOT_FOUND
    const compute_engine = { project_id: 'shop', zone: 'europe-west1-b', instance_id: '1', instance_name: 'web-1' }
    const claims = { iss: 'https://accounts.google.com', aud: query.get('audience'), sub: '1', exp: seconds(3_600) }
    const more = query.get('format') === 'full' ? { google: { compute_engine } } : {}
    return { headers: { 'metadata-flavor': 'Google' }, body: jwtOf({ ...claims, ...more }, this.key) }
  }

  #azure({ path, query, headers }: Asked): Told {
    if (headers.metadata !== 'true' || query.get('api-version') === null) return { status: 400 }
    if (path === '/metadata/identity/oauth2/token') {
      const oid = query.get('client_id') === null ? 'system' : `user ${query.get('client_id')}`
      return { body: this.#azureToken({ aud: query.get('resource'), oid }) }
    }
    if (path !== '/metadata/instance') return NOT_FOUND
    const compute = { name: 'web-1', vmScaleSetName: '', subscriptionId: 'sub-1', resourceGroupName: 'shop' }
    return { body: JSON.stringify({ compute, network: {} }) }
  }

  #azureApp({ method, query, headers }: Asked): Told {
    const isRight = method === 'GET' && query.get('api-version') === '2019-08-01' && query.get('resource') !== null
    if (headers['x-identity-header'] !== this.appHeader || !isRight) return { status: isRight ? 401 : 400 }
    const oid = query.get('client_id') === null ? 'app' : `app ${query.get('client_id')}`
    const { access_token } = JSON.parse(this.#azureToken({ aud: query.get('resource'), oid }))
    const more = { expires_on: String(seconds(3_600)), resource: query.get('resource'), client_id: 'client-of-app' }
    return { body: JSON.stringify({ access_token, token_type: 'Bearer', ...more }) }
  }

  #federated({ body }: Asked): Told {
    const fields = new URLSearchParams(body)
    const claims = claimsOf(fields.get('client_assertion') ?? '', [this.#issuerKey()])
    const isRight =
      fields.get('grant_type') === 'client_credentials' &&
      fields.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    if (!isRight || claims?.aud !== 'api://AzureADTokenExchange') return { status: 401 }
    const aud = String(fields.get('scope')).replace(/\/\.default$/, '')
    return { body: this.#azureToken({ aud, oid: fields.get('client_id') }) }
  }

  #azureToken(claims: Json): string {
    const access_token = jwtOf({ iss: 'https://sts.windows.net/tenant/', exp: seconds(3_600), ...claims }, this.key)
    return JSON.stringify({ access_token, expires_in: '3599', token_type: 'Bearer' })
  }

  #issuerKey(): string {
    return this.issuer.publicKey.export({ format: 'pem', type: 'spki' })
  }
}
