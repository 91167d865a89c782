import type { ProviderPlugin } from '../../lib/provider.ts'
import { addressVariable, variable } from './environment.ts'
import { vaultOptions, type VaultOptions } from './options.ts'
import { pkiCert, referenceQuestion, secret, secretOrDefault, secrets, vaultToken } from './questions.ts'

/** Reads secrets from Vault or OpenBao: `type: vault`. */
export const vault: ProviderPlugin<VaultOptions> = {
  type: 'vault',
  options: vaultOptions,
  reference: referenceQuestion,
  functions: { secret, secrets, secretOrDefault, pkiCert, vaultToken },
  identity: ({ address, namespace }, environment) =>
    JSON.stringify([
      address ?? addressVariable(environment)?.text,
      namespace ?? variable(environment, 'NAMESPACE')?.text,
    ]),
  async open(options, host) {
    const { VaultProvider } = await import('./provider.ts')
    return VaultProvider.open(options, host)
  },
}
