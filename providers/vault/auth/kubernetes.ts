import { filePath, v } from '../../../lib/base/schema.ts'
import { bearerIn, logInAt, mountOption, readSecretFile, text } from './credentials.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

/** Where every Pod has the token of its service account, unless it says not to. */
const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token'

const WHAT = "the service account's token"

export const kubernetesOptions = v.strictObject({
  method: v.literal('kubernetes'),
  mount: mountOption('kubernetes'),
  role: text('the name of a role'),
  tokenFile: v.optional(filePath("the path of a service account's token"), TOKEN_FILE),
})

/** `auth: { method: kubernetes, role: … }`: with the token of the Pod's service account, which the kubelet keeps current. */
export class KubernetesMethod implements AuthMethod {
  readonly name = 'kubernetes'
  readonly isFresh = true
  readonly #options: v.InferOutput<typeof kubernetesOptions>

  constructor(options: v.InferOutput<typeof kubernetesOptions>) {
    this.#options = options
  }

  async account(world: LoginWorld): Promise<string> {
    const { mount, role, tokenFile } = this.#options
    return JSON.stringify([mount, role, await bearerIn(world, tokenFile, WHAT)])
  }

  async logIn(world: LoginWorld, signal: AbortSignal): Promise<Login> {
    const { mount, role, tokenFile } = this.#options
    const jwt = await readSecretFile(world, tokenFile, WHAT)
    return await logInAt(world, `auth/${mount}/login`, { role, jwt: jwt.reveal() }, signal)
  }
}
