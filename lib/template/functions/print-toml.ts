import { Float, Struct, Uint, type Value } from '../../base/value.ts'
import { Channel } from '../channel.ts'
import { formatFloat } from '../float.ts'
import { spellingOf } from '../instance.ts'
import { isList, isMap, sortedKeys } from '../operand.ts'
import { joined } from '../print.ts'
import { show } from '../show.ts'

/** A value as TOML, as BurntSushi's encoder writes it: simple values before tables, each by their keys, tables indented by two blanks,
 *  what is nil left out. Throws an Error with its words. */
export function printToml(value: Value): string {
  // The encoder fails so on nothing at all.
  if (value === null) throw new Error('reflect: call of reflect.Value.Type on zero Value')
  return joined(new TomlPrinter().print(value))
}

type Table = ReadonlyMap<string, Value>

class TomlPrinter {
  #text = ''

  print(value: Value): string {
    this.#encode([], value)
    return this.#text
  }

  #encode(key: readonly string[], value: Value): void {
    const table = tableOf(value)
    if (table !== undefined) {
      // Between tables at the top is an empty line.
      if (key.length === 1) this.#newline()
      if (key.length > 0) {
        this.#text += `${marginOf(key)}[${key.map(quotedKey).join('.')}]`
        this.#newline()
      }
      this.#table(key, table, value)
    } else if (isList(value) && isTables(value)) this.#tables(key, value)
    else if (key.length === 0) this.#text += element(value)
    else {
      this.#text += `${marginOf(key)}${quotedKey(key.at(-1) as string)} = ${element(value)}`
      this.#newline()
    }
  }

  #table(key: readonly string[], table: Table, value: Value): void {
    for (const [name, item] of entriesOf(table, value)) this.#encode([...key, name], item)
  }

  #tables(key: readonly string[], items: readonly Value[]): void {
    if (key.length === 0) throw new Error('toml: top-level values must be Go maps or structs')
    for (const item of items) {
      this.#newline()
      this.#text += `${marginOf(key)}[[${key.map(quotedKey).join('.')}]]`
      this.#newline()
      this.#table(key, tableOf(item) as Table, item)
    }
  }

  #newline(): void {
    if (this.#text !== '') this.#text += '\n'
  }
}

function tableOf(value: Value): Table | undefined {
  if (isMap(value)) return value
  if (!(value instanceof Struct) || value instanceof Channel || spellingOf(value) !== undefined) return undefined
  return value.fields
}

/** The simple values first, then the tables; those of a map by their keys. */
function entriesOf(table: Table, owner: Value): readonly (readonly [string, Value])[] {
  const names = owner instanceof Struct ? [...table.keys()] : sortedKeys(table)
  const entries = names.map(name => [name, table.get(name) ?? null] as const).filter(([, item]) => item !== null)
  const isSub = ([, item]: readonly [string, Value]) => tableOf(item) !== undefined || (isList(item) && isTables(item))
  // Whether lists may be written is looked at for all, first.
  const areSub = entries.map(isSub)
  return [...entries.filter((_, i) => areSub[i] === false), ...entries.filter((_, i) => areSub[i] === true)]
}

/** Whether a list is one of tables. Throws an Error when there is nothing among its items. */
function isTables(list: readonly Value[]): boolean {
  let areTables = list.length > 0
  for (const item of list) {
    if (item === null) throw new Error('toml: cannot encode array with nil element')
    if (isList(item)) isTables(item)
    if (tableOf(item) === undefined) areTables = false
  }
  return areTables
}

function marginOf(key: readonly string[]): string {
  return '  '.repeat(Math.max(key.length - 1, 0))
}

function quotedKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key)
}

/** A value within one line. */
function element(value: Value): string {
  if (typeof value === 'string') return quoted(value)
  if (isList(value)) return `[${value.map(element).join(', ')}]`
  const table = tableOf(value)
  if (table !== undefined) {
    const entries = entriesOf(table, value).map(([name, item]) => `${quotedKey(name)} = ${element(item)}`)
    return `{${entries.join(', ')}}`
  }
  const spelling = value instanceof Struct ? spellingOf(value) : undefined
  if (spelling !== undefined) return typeof spelling === 'string' ? quoted(spelling) : spelling.plain
  if (value instanceof Float) return float(value.value)
  if (value instanceof Uint) return String(value.value)
  if (value === null) throw new Error('toml: cannot encode array with nil element')
  if (value instanceof Channel) throw new Error('unsupported type: chan')
  return show(value)
}

function float(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const text = formatFloat(value, 'f', -1)
  return text.includes('.') ? text : `${text}.0`
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

function quoted(text: string): string {
  // eslint-disable-next-line no-control-regex
  const escaped = text.replaceAll(/["\\\u0000-\u001f\u007f]/g, character => {
    return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return `"${escaped}"`
}
