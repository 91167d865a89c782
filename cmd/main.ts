import { nodeTooOld } from './node-version.ts'
import { runProgram } from './program.ts'
import { systemWorld } from './world.ts'

const tooOld = nodeTooOld(process.versions.node, process.execPath)
if (tooOld !== undefined) {
  process.stderr.write(`outrigger: ${tooOld}\noutrigger: hint: start it with another: /path/to/node outrigger.js …\n`)
  process.exit(2)
}

// The only place that ends the process: everything below returns an exit code.
runProgram(process.argv.slice(2), systemWorld()).then(
  code => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`outrigger: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
