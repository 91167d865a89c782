import { durationMs, filePath, v } from '../../lib/base/schema.ts'

export interface FileOptions {
  /** A directory of values, or a single file. */
  readonly path: string
  /** Whether the values must not be seen in logs, diffs and status. @default false */
  readonly sensitive: boolean
  /** How often everything is looked at without a hint that it changed. A network file system gives no hints. @default 30s */
  readonly pollMs: number
}

const POLL = '30s'

export const fileOptions = v.pipe(
  v.strictObject({
    path: filePath('the path of a directory of values, or of a file'),
    sensitive: v.optional(v.boolean('true or false'), false),
    poll: v.optional(durationMs({ least: 10 }), POLL),
  }),
  v.transform(({ path, sensitive, poll }): FileOptions => ({ path, sensitive, pollMs: poll })),
)
