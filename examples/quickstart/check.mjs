// What a staged generation must pass: node check.mjs FILE
import { readFileSync } from 'node:fs'

const { workers } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
  process.stderr.write('app.json: workers: want a whole number from 1 to 64\n')
  process.exitCode = 1
}
