import { runProgram } from './program.ts'
import { systemWorld } from './world.ts'

// The only place that ends the process: everything below returns an exit code.
runProgram(process.argv.slice(2), systemWorld()).then(
  code => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`outrigger: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
