// The first lines of the built file; the program follows them as a comment.
//
// Node compiles the file that it is given anew at every start, and for the whole program that would cost as much as
// everything a short run does. From the comment the program is compiled here, with what V8 made of it when it was built and
// tried out once (`outrigger.js.compiled`, see compile.ts): that halves what a start costs on top of Node's own. It is only
// used when it is, byte for byte, what this file was built with, and on the very Node that made it; without it the program
// is the same and starts slower.
import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { Script } from 'node:vm'

/** Set by the build: the Node that compiled the program and the SHA-256 of the result, where there is one. */
declare const COMPILED: { readonly by: string; readonly sha256: string } | undefined
/** Set by the build: the line on which the program begins, so that a stack names the lines of this file. */
declare const LINE: number
/** Appended by the build: the text of the program is the comment in it. */
declare function program(): void

const text = program.toString()
const cachedData = compiled()
// A part of a text takes no memory of its own.
const script = new Script(text.slice(text.indexOf('\n') + 1, text.lastIndexOf('\n')), {
  filename: __filename,
  lineOffset: LINE - 1,
  ...(cachedData && { cachedData }),
})
const run = script.runInThisContext() as (...scope: unknown[]) => void
run.call(exports, exports, require, module, __filename, __dirname)

function compiled(): Uint8Array | undefined {
  // V8 checks its version and its flags, but not how it was built: so it has to be the same file, as far as its size tells.
  const { version, platform, arch, execPath } = process
  if (COMPILED?.by !== `${version} ${platform} ${arch} ${statSync(execPath).size}`) return undefined
  try {
    const data = read(`${__filename}.compiled`)
    return hash('sha256', data) === COMPILED.sha256 ? data : undefined
  } catch {
    return undefined
  }
}

/** Reads a file into memory that the system gets back as soon as V8 has no use for it: a buffer that could grow has pages of its
 *  own, and others would leave a hole of their size in the heap of the C library. */
function read(path: string): Uint8Array {
  const file = openSync(path, 'r')
  const { size } = fstatSync(file)
  const data = new Uint8Array(new ArrayBuffer(size, { maxByteLength: size }))
  readSync(file, data)
  closeSync(file)
  return data
}
