/** Gives back, once the start is over, what only the start needed: compiled code that will not run again, and garbage that an
 *  idle process would keep for ever, since it allocates too little to make V8 look. Measured on an idle sidecar: 61.7 instead of
 *  66.8 MB resident. Takes about 20 ms, in which nothing else runs. */
export function giveBackMemory(): void {
  // Not imported: no start needs them.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  const { runInNewContext } = process.getBuiltinModule('node:vm')
  // V8's own `gc` is reachable only from a context that is made while this flag is set.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as NodeJS.GCFunction
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
