import { v } from '../../../lib/base/schema.ts'
import { AppRoleMethod, appRoleOptions } from './approle.ts'
import { AwsMethod, awsOptions } from './aws.ts'
import { AzureMethod, azureOptions } from './azure.ts'
import { CertMethod, certOptions } from './cert.ts'
import { GcpMethod, gcpOptions } from './gcp.ts'
import { JwtMethod, jwtOptions } from './jwt.ts'
import { KubernetesMethod, kubernetesOptions } from './kubernetes.ts'
import { ldapOptions } from './ldap.ts'
import type { AuthMethod } from './method.ts'
import { TokenMethod, tokenOptions } from './token.ts'
import { PasswordMethod, userpassOptions } from './userpass.ts'

/** `auth: { method: …, … }`, as the method that it sets up. A method is one file, and a line in both of these. */
export const authOptions = v.pipe(
  v.variant(
    'method',
    [
      tokenOptions,
      appRoleOptions,
      kubernetesOptions,
      jwtOptions,
      certOptions,
      userpassOptions,
      ldapOptions,
      awsOptions,
      gcpOptions,
      azureOptions,
    ],
    'a method: token, approle, kubernetes, jwt, cert, userpass, ldap, aws, gcp or azure',
  ),
  v.transform((options): AuthMethod => {
    switch (options.method) {
      case 'token':
        return new TokenMethod(options)
      case 'approle':
        return new AppRoleMethod(options)
      case 'kubernetes':
        return new KubernetesMethod(options)
      case 'jwt':
        return new JwtMethod(options)
      case 'cert':
        return new CertMethod(options)
      case 'aws':
        return new AwsMethod(options)
      case 'gcp':
        return new GcpMethod(options)
      case 'azure':
        return new AzureMethod(options)
      case 'userpass':
      case 'ldap':
        return new PasswordMethod(options)
    }
  }),
)
