import { v } from '../../../lib/base/schema.ts'
import { mountOption } from './credentials.ts'
import { nameAndPassword } from './userpass.ts'

/** `auth: { method: ldap, username: …, password: … }`: asked as `userpass` is. */
export const ldapOptions = v.strictObject({
  method: v.literal('ldap'),
  mount: mountOption('ldap'),
  ...nameAndPassword(),
})
