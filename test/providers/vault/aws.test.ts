/** What is signed, and with whose keys, without a server. */
import { expect, test } from 'vitest'
import { Secret } from '../../../lib/base/secret.ts'
import { parseProfiles } from '../../../providers/vault/auth/aws/profiles.ts'
import { signedHeaders } from '../../../providers/vault/auth/aws/sign.ts'
import { stsAddress } from '../../../providers/vault/auth/aws/sts.ts'

const TOKEN = [
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/',
  'qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+',
  'scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==',
].join('')
const FORM = 'application/x-www-form-urlencoded'

// Cases of AWS's Signature Version 4 test suite (docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html), by their
// names there, with the signatures that it publishes.
test.each([
  ['post-vanilla', {}, '', undefined, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-header-value-case',
    { 'My-Header1': 'VALUE1' },
    '',
    undefined,
    'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  ],
  [
    'post-x-www-form-urlencoded',
    { 'Content-Type': FORM },
    'Param1=value1',
    undefined,
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
  ['post-sts-header-before', {}, '', TOKEN, '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead'],
])('the signature of %s is the one that is published', (_, headers, body, token, signature) => {
  const keys = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
    sessionToken: token === undefined ? undefined : new Secret(token),
  }
  const request = { host: 'example.amazonaws.com', headers: new Map(Object.entries(headers)), body }
  const scope = { region: 'us-east-1', service: 'service' }

  const signed = signedHeaders(request, keys, scope, Date.UTC(2015, 7, 30, 12, 36))

  const names = [...Object.keys(headers).map(name => name.toLowerCase()), 'host', 'x-amz-date']
    .concat(token === undefined ? [] : ['x-amz-security-token'])
    .toSorted()
  expect(signed.get('authorization')).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  )
  expect([...signed.keys()]).toEqual([...names, 'authorization'])
})

test('a shared credentials file is read as far as it has keys', () => {
  const text = `# mine
[default]
aws_access_key_id = AKIA1
aws_secret_access_key=a=b;c#d
region =
[ other ] ; not this
AWS_ACCESS_KEY_ID=AKIA2
  ; aws_session_token = none
lonely
`
  expect(parseProfiles(text)).toEqual(
    new Map([
      [
        'default',
        new Map([
          ['aws_access_key_id', 'AKIA1'],
          ['aws_secret_access_key', 'a=b;c#d'],
        ]),
      ],
      ['other', new Map([['aws_access_key_id', 'AKIA2']])],
    ]),
  )
})

test.each([
  [undefined, 'https://sts.amazonaws.com'],
  ['eu-west-1', 'https://sts.eu-west-1.amazonaws.com'],
  ['cn-north-1', 'https://sts.cn-north-1.amazonaws.com.cn'],
])('who somebody is in the region %s says %s', (region, address) => {
  expect(stsAddress(region)).toBe(address)
})
