// Writes the JSON Schema of the configuration, from which editors complete it and say what is wrong.
//
//     node cmd/build/schema.ts [dist/config.schema.json]
//     node cmd/build/schema.ts examples/config.schema.json
//
// The one in `examples/` is kept in the repository, for the first line of each configuration there; a test says when it is old.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { configSchema } from '../../lib/config/json-schema.ts'
import { plugins } from '../../providers/index.ts'

/** The schema as the text of a file. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema(plugins), null, 2)}\n`
}

if (import.meta.main) {
  const path = process.argv[2] ?? join(import.meta.dirname, '../../dist/config.schema.json')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, schemaText())
}
