import type { Credential } from './base/schema.ts'
import type { Secret } from './base/secret.ts'
import type { Reference } from './dependency.ts'
import type { KeyOptions, OutputFormat } from './format.ts'

/** A bundle as it is configured: the files that belong together, and how they are checked, published and told. */
export interface BundleOptions {
  readonly name: string
  /** Where the generations are published, absolute; without it the files have absolute paths of their own. */
  readonly volume: string | undefined
  readonly files: readonly FileOptions[]
  readonly checks: readonly CheckOptions[]
  readonly hooks: readonly HookOptions[]
  readonly probe: ProbeOptions | undefined
  readonly settle: SettleOptions
  /** How many generations stay on the volume, the visible one included. @default 3 */
  readonly keep: number
  /** How long a generation stays at least after it was replaced. @default 60_000 */
  readonly keepAgeMs: number
}

export interface FileOptions {
  /** As in `OutputFile`; for a tree, the directory that its files go into, `.` being the volume itself; with `forEach`, a template
   *  that gives such a path for each item. */
  readonly path: string
  readonly source: FileSource
  /** Permission bits. @default 0o600; for a tree, those of the source where it has them */
  readonly mode: number | undefined
  readonly owner: Owner | undefined
  readonly group: Owner | undefined
}

/** A user or group by its number or name. */
export type Owner = number | string

export type FileSource =
  /** A template in a file, read when the configuration is loaded. */
  | {
      readonly kind: 'template'
      readonly name: string
      readonly text: string
      readonly syntax: TemplateSyntax
      /** An action whose value is a list or map, each item of which gives one output; then the path is a template as well. */
      readonly forEach?: string
    }
  | {
      readonly kind: 'tree'
      readonly reference: Reference
      /** Patterns for the paths below the tree (`base/glob.ts`). @default every path, and none */
      readonly include?: readonly string[]
      readonly exclude?: readonly string[]
      /** Set when files that end in `.tmpl` are templates: how they are written. */
      readonly render?: TemplateSyntax
    }
  /** A value without a template. */
  | {
      readonly kind: 'from'
      readonly reference: Reference
      readonly format: OutputFormat
      readonly keys: KeyOptions
    }

/** How long a template may be, in bytes. */
export const TEMPLATE_BYTES_MAX = 8 * 1024 * 1024

export interface TemplateSyntax {
  /** @default ['{{', '}}'] */
  readonly delims: readonly [string, string]
  /** What a missing map key does: Go's option of that name. @default 'error' */
  readonly missingKey: 'error' | 'default' | 'zero'
}

/** What a staged generation must pass. In `command`, `{staged}` stands for the staged generation's directory. */
export interface CheckOptions {
  readonly command: readonly string[]
  readonly timeoutMs: number
}

/** One way to tell the application. `id` is stable across restarts while the hook's options stay the same; it names the
 *  hook in the journal, in logs and in the status. */
export type HookOptions = SignalHookOptions | HttpHookOptions | CommandHookOptions

interface HookCommon {
  readonly id: string
  /** For one try. @default 10_000; 30_000 for a command */
  readonly timeoutMs: number
}

export interface SignalHookOptions extends HookCommon {
  readonly kind: 'signal'
  readonly signal: NodeJS.Signals
  readonly target: { readonly process: string } | { readonly pidFile: string }
}

export interface HttpHookOptions extends HookCommon {
  readonly kind: 'http'
  /** `http:`, `https:`; a user and password in it have been moved into `headers`. */
  readonly url: string
  /** @default 'POST' */
  readonly method: string
  /** One in a file is read anew each time it is sent. */
  readonly headers: ReadonlyMap<string, Secret | Credential>
  /** The statuses that mean "told". @default 200…299 */
  readonly expect: readonly number[] | undefined
}

export interface CommandHookOptions extends HookCommon {
  readonly kind: 'command'
  readonly command: readonly string[]
  /** Added to the small environment that every child gets. */
  readonly environment: Readonly<Record<string, string>>
}

/** How the application is watched after it was told: it is tried for the whole probation, and the last three tries must be well. */
export interface ProbeOptions {
  readonly target:
    /** `expect`: the statuses that are well. @default 200…299 */
    { readonly http: string; readonly expect: readonly number[] | undefined } | { readonly command: readonly string[] }
  /** How long the application is watched after it was told, and at whose end it must be well. No newer generation is published
   *  meanwhile. @default 20_000 */
  readonly forMs: number
  /** Between two tries. @default 1_000 */
  readonly everyMs: number
  /** For one try. @default 5_000 */
  readonly timeoutMs: number
}

export interface SettleOptions {
  /** How long nothing may change before a pass begins. @default 200 */
  readonly quietMs: number
  /** After which a pass begins though changes keep coming. @default 5_000 */
  readonly longestMs: number
}
