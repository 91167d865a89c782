/** The oldest Node that this program works on; `engines` of package.json says the same. */
export const NODE_MIN = '24.15'

/** What is wrong with this version of Node, for people, or undefined when nothing is. An older one starts the program and then
 *  fails at whatever it lacks first, in words that help nobody. */
export function nodeTooOld(version: string, executable: string): string | undefined {
  const [major = 0, minor = 0] = numbers(version)
  const [majorMin = 0, minorMin = 0] = numbers(NODE_MIN)
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return undefined
  return `needs Node ${NODE_MIN} or newer, got ${version} (${executable})`
}

function numbers(version: string): readonly number[] {
  return version.split('.').map(Number)
}
