/** What a value is written as where no template says it; the rules of each are in `render/formats/README.md`. */
export type OutputFormat =
  | { readonly name: 'json' | 'yaml' | 'toml' | 'properties' | 'raw' }
  | { readonly name: 'dotenv'; readonly dialect: DotenvDialect }
  /** `section` is where keys go that are in no map; without it they stand before the first section. */
  | { readonly name: 'ini'; readonly dialect: IniDialect; readonly section: string | undefined }
  /** `root` is the name of the outermost element, where the dialect does not say it. */
  | { readonly name: 'xml'; readonly dialect: XmlDialect; readonly root: string }

export const FORMAT_NAMES = ['dotenv', 'json', 'yaml', 'toml', 'properties', 'ini', 'xml', 'raw'] as const

/** The dialects of the formats that have some, the usual one first. */
export const DIALECTS = {
  dotenv: ['dotenv', 'shell', 'systemd', 'docker'],
  ini: ['plain', 'verbatim', 'python'],
  xml: ['elements', 'java'],
} as const

export type DotenvDialect = (typeof DIALECTS.dotenv)[number]
export type IniDialect = (typeof DIALECTS.ini)[number]
export type XmlDialect = (typeof DIALECTS.xml)[number]

/** Which keys of a map are written, and under which names. */
export interface KeyOptions {
  /** Every key when undefined; one that is not there is an error. */
  readonly only: readonly string[] | undefined
  readonly except: readonly string[]
  /** What each name begins with. */
  readonly prefix: string
  /** Whether they are named as variables of an environment are: `db-user` is `DB_USER`. */
  readonly upper: boolean
}
