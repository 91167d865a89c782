/** The profiles of a shared credentials file, `[NAME]` and `KEY = VALUE` below it, by their names. What is neither is passed over, as
 *  AWS's own libraries do. */
export function parseProfiles(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const profiles = new Map<string, Map<string, string>>()
  let current: Map<string, string> | undefined
  for (const line of text.split(/\r?\n/).map(line => line.trim())) {
    const [, name] = /^\[\s*([^\]]*?)\s*\]/.exec(line) ?? []
    if (name !== undefined) {
      current = profiles.get(name) ?? new Map<string, string>()
      profiles.set(name, current)
      continue
    }
    const [, key, value] = /^([^#;=\s][^=\s]*)\s*=\s*(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined && value !== '') current?.set(key.toLowerCase(), value)
  }
  return profiles
}
