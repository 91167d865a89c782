// Writes the page about template functions, `lib/template/functions/README.md`; a test says when it is old.
//
//     node cmd/build/functions.ts
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { documentationPage } from '../../lib/template/functions/documentation/page.ts'

await writeFile(join(import.meta.dirname, '../../lib/template/functions/README.md'), documentationPage())
