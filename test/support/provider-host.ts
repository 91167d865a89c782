import { systemClock } from '../../lib/base/clock.ts'
import { jsonLog } from '../../lib/base/json-log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Note, ProviderHost } from '../../lib/provider.ts'

/** A note that is kept in a map. */
export function noteIn(kept: Map<string, string>): Note {
  return { read: async () => kept.get(''), write: text => void kept.set('', text) }
}

/** A host for one provider, with the system's clock and an empty environment, and what it logged. */
export function providerHost(directory: string, overrides: Partial<ProviderHost> = {}) {
  const logged: string[] = []
  const host: ProviderHost = {
    name: 'mine',
    clock: systemClock,
    random: Math.random,
    log: jsonLog({ level: 'debug', redactor: new Redactor(), write: line => logged.push(line) }),
    directory: async () => directory,
    note: noteIn(new Map()),
    environment: {},
    configDirectory: directory,
    ...overrides,
  }
  return { host, logged }
}
