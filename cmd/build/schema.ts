// Writes the JSON Schema of the configuration, from which editors complete it and say what is wrong.
//
//     node cmd/build/schema.ts examples/config.schema.json
//
// The one in `examples/` is kept in the repository, for the first line of each configuration there; a test says when it is old.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { configSchema } from '../../lib/config/json-schema.ts'
import { plugins } from '../../providers/index.ts'

/** The schema as the text of a file. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema(plugins), null, 2)}\n`
}

export async function writeSchema(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, schemaText())
}

const [, , path] = process.argv
if (import.meta.main && path !== undefined) await writeSchema(path)
