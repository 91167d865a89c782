import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A text that is easy to find again, whatever it was written as, and has what needs escaping in JSON and in URLs. */
export function sentinel(name: string): string {
  return `${name}/"5ent&+${Buffer.from(name).toString('hex').toUpperCase()}=%9z`
}

/** How a text may come to stand somewhere, by the name of the spelling. */
export function spellingsOf(text: string): ReadonlyMap<string, string> {
  const json = JSON.stringify(text).slice(1, -1)
  return new Map([
    ['raw', text],
    ['JSON', json],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['URL', encodeURIComponent(text)],
    ['form', new URLSearchParams({ x: text }).toString().slice('x='.length)],
    ['URI', encodeURI(text)],
    ['hex', Buffer.from(text).toString('hex')],
    ...[0, 1, 2].flatMap((before): [string, string][] => [
      [`base64 at ${before}`, base64Within(text, before)],
      [`base64url at ${before}`, base64Within(text, before).replaceAll('+', '-').replaceAll('/', '_')],
    ]),
  ])
}

/** What base64 makes of a text that `before` bytes come before, and any number after, without the edges that hang on these. */
function base64Within(text: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
  return whole.slice(before === 0 ? 0 : 4)
}

/** Everything in which something may be found, by a name for people. */
export class Places {
  readonly #texts: (readonly [string, string])[] = []

  add(place: string, text: string | Uint8Array): void {
    this.#texts.push([place, typeof text === 'string' ? text : Buffer.from(text).toString('latin1')])
  }

  /** Adds each file below a directory, its path included, but those that `isLeftOut` says. */
  addFiles(directory: string, isLeftOut: (path: string) => boolean): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (isLeftOut(path)) continue
      this.add(`the name of ${path}`, path)
      if (entry.isDirectory()) this.addFiles(path, isLeftOut)
      else if (entry.isFile()) this.add(path, readFileSync(path))
    }
  }

  /** Where a text is found, in which spelling; case does not count. */
  find(text: string): readonly string[] {
    const needles = [...spellingsOf(text)].map(([spelling, needle]) => [spelling, needle.toLowerCase()] as const)
    return this.#texts.flatMap(([place, hay]) => {
      const lower = hay.toLowerCase()
      return needles.filter(([, needle]) => lower.includes(needle)).map(([spelling]) => `${place} (${spelling})`)
    })
  }
}

/** A process as it was seen once. */
export interface Sample {
  readonly pid: number
  readonly arguments: string
  /** `NAME=VALUE` each. */
  readonly environment: readonly string[]
}

/** Looks at a process and those below it again and again, until it is stopped; gives each that differs from what was seen. A
 *  child that has not begun its own program yet, or just ended, is not one. */
export function sampleProcesses(root: number, everyMs = 2) {
  const seen = new Map<string, Sample>()
  const own = readNow(`/proc/${root}/cmdline`)
  const timer = setInterval(look, everyMs)
  return {
    stop() {
      clearInterval(timer)
      look()
      return [...seen.values()]
    },
  }

  function look(): void {
    const parents = new Map<number, number>()
    for (const name of readdirSync('/proc')) {
      const parent = /^\d+$/.test(name) ? /^\d+ \(.*\) . (\d+) /s.exec(readNow(`/proc/${name}/stat`)) : null
      if (parent !== null) parents.set(Number(name), Number(parent[1]))
    }
    for (const pid of parents.keys()) {
      if (!isBelow(pid, parents)) continue
      const line = readNow(`/proc/${pid}/cmdline`)
      if (line === '' || (line === own && pid !== root)) continue
      const environment = readNow(`/proc/${pid}/environ`).split('\0')
      const sample = { pid, arguments: line.replaceAll('\0', ' ').trimEnd(), environment }
      seen.set(JSON.stringify(sample), sample)
    }
  }

  function isBelow(pid: number, parents: ReadonlyMap<number, number>): boolean {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true
    return false
  }
}

/** What a file of `/proc` holds, or nothing when its process has just ended. */
function readNow(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
