import { systemClock } from '../../lib/base/clock.ts'
import { acquireLock } from '../../lib/state/lock.ts'

// A process that takes the lock of the directory in its first argument, says so, and stays when the second one is `stay`.
const [directory = '', stay] = process.argv.slice(2)
await acquireLock(directory, systemClock, new AbortController().signal)
process.stdout.write('held\n')
if (stay === 'stay') setInterval(() => {}, 1_000)
