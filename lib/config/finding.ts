/** Where in a configuration: `['bundles', 'web', 'files', 0]`. */
export type Path = readonly (string | number)[]

/** What is wrong, and where in the configuration; where that is in the text is worked out last, in one place. */
export interface Finding {
  readonly path: Path
  /** What the caret points at: the value at the path, its key, or an offset into the text. @default 'value' */
  readonly at?: 'value' | 'key' | number
  /** `want X, got Y`, without any value that could be secret. */
  readonly message: string
  readonly hint?: string
  /** Nothing that is found later about this value is worth saying. */
  readonly final?: true
}

/** A path for people: `bundles.web.files[0].mode`. A key that is neither a word nor known is shown as `…`. */
export function showPath(path: Path, isKnown: (path: Path) => boolean): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`
      const key = isShowableKey(part, path.slice(0, i + 1), isKnown) ? part : '…'
      return i === 0 ? key : `.${key}`
    })
    .join('')
}

/** Whether the key at the end of a path can be shown. */
export function isShowableKey(key: string, path: Path, isKnown: (path: Path) => boolean): boolean {
  return isWord(key) || (PLAIN_KEY.test(key) && isKnown(path))
}

/** Whether a key looks like nothing but a word. Others that no schema knows may be credentials that lost their own key. */
export function isWord(key: string): boolean {
  return WORD.test(key)
}

const WORD = /^(?:[A-Za-z_][A-Za-z_-]{0,31}|<<)$/
const PLAIN_KEY = /^[A-Za-z0-9_.-]{1,64}$/

/** `a, b or c`. */
export function listed(words: readonly string[], last = 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}

/** What `input` holds at the path, or undefined. */
export function valueAt(input: unknown, path: Path): unknown {
  let value = input
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}

/** A mapping of the configuration, before it is validated. */
export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The entries of a mapping, and none of what is not one. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isMapping(value) ? Object.entries(value) : []
}

/** The items of a list, and none of what is not one. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
