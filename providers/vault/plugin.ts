import type { ProviderPlugin } from '../../lib/provider.ts'
import { vaultOptions, type VaultOptions } from './options.ts'
import { pkiCert, referenceQuestion, secret, secretOrDefault, secrets } from './questions.ts'

/** Reads secrets from Vault or OpenBao: `type: vault`. */
export const vault: ProviderPlugin<VaultOptions> = {
  type: 'vault',
  options: vaultOptions,
  reference: referenceQuestion,
  functions: { secret, secrets, secretOrDefault, pkiCert },
  // What the environment adds is not known here: it is the same for as long as nobody changes it there.
  identity: ({ address, namespace }) => JSON.stringify([address, namespace]),
  async open(options, host) {
    const { VaultProvider } = await import('./provider.ts')
    return VaultProvider.open(options, host)
  },
}
