/** The options that every provider with a server has, under the same names. */
import { filePath, v } from './schema.ts'
import type { TlsFiles } from './tls-files.ts'

const FILE = 'the path of a PEM file'

/** `tls: { ca, caDirectory, certificate, key, serverName, skipVerify }`. */
export function tlsOptions() {
  return v.pipe(
    v.strictObject({
      ca: v.optional(filePath(FILE)),
      caDirectory: v.optional(filePath('the path of a directory of PEM files')),
      certificate: v.optional(filePath(FILE)),
      key: v.optional(filePath(FILE)),
      serverName: v.optional(
        v.pipe(v.string('a host name'), v.regex(/^[A-Za-z0-9._-]+$/, 'a host name, without a port')),
      ),
      skipVerify: v.optional(v.boolean('true or false')),
    }),
    v.check(
      ({ certificate, key }) => (certificate === undefined) === (key === undefined),
      'both certificate and key, or neither',
    ),
    v.transform((files): TlsFiles => files),
  )
}

/** `proxy: http://host:3128`. It may hold a password, so messages do not show it. */
export function proxyOption() {
  return v.pipe(
    v.string(PROXY),
    v.check(text => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), PROXY),
    v.metadata({ sensitive: true, examples: ['http://proxy:3128'] }),
  )
}

const PROXY = 'the address of a proxy such as http://proxy:3128'

/** What a client looks proxies up in: the one that is configured for everything, else those of the environment, which as with
 *  Go's and curl's clients are not for this machine itself. */
export function proxyEnvironmentOf(
  proxy: string | undefined,
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  if (proxy !== undefined) return { http_proxy: proxy, https_proxy: proxy }
  const names = Object.keys(environment).filter(name => /^(https?|no)_proxy$/i.test(name) && environment[name] !== '')
  if (!names.some(name => /^https?_proxy$/i.test(name))) return undefined
  const own = names.find(name => /^no_proxy$/i.test(name))
  const noProxy = [own === undefined ? undefined : environment[own], 'localhost', '127.0.0.1', '::1']
  return {
    ...Object.fromEntries(names.map(name => [name.toLowerCase(), environment[name] as string])),
    no_proxy: noProxy.filter(part => part !== undefined).join(','),
  }
}
