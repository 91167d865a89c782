/** How many things one line names: a list may have thousands. */
const NAMED_MAX = 5

/** A list on one line, for people: the first few things, and how many more there are. */
export function listed(things: readonly string[], separator = ', '): string {
  const more = things.length - NAMED_MAX
  if (more <= 0) return things.join(separator)
  return `${things.slice(0, NAMED_MAX).join(separator)}${separator}and ${more} more`
}
