import { byteLength } from '../../base/text.ts'
import type { DotenvDialect } from '../../format.ts'
import { withJson } from './flatten.ts'
import { mapFor, type Plain } from './plain.ts'
import { checkText, ELSEWHERE, placeOf, Refusal, shownKey } from './refusal.ts'

/** A map as the assignments of a dotenv file, a line each. A map or list in it is one line of JSON. */
export function encodeDotenv(value: Plain, dialect: DotenvDialect): string {
  const { reader, name, wanted, line } = DIALECTS[dialect]
  return withJson(mapFor('dotenv', value), reader)
    .map(([key, text]) => {
      if (!name.test(key)) {
        throw new Refusal(
          `${shownKey(key)} is no name of a variable in ${reader}: want ${wanted}`,
          'rename it with upper: true or a prefix, or leave it out with except',
        )
      }
      if (text.includes('\0')) throw refusal(key, 'a NUL', reader)
      return `${line(key, text)}\n`
    })
    .join('')
}

interface Dialect {
  /** Who reads it, for messages. */
  readonly reader: string
  readonly name: RegExp
  readonly wanted: string
  readonly line: (key: string, text: string) => string
}

const NAME = { name: /^[A-Za-z_][A-Za-z0-9_]*$/, wanted: 'letters, digits and _, no digit first' }

const DIALECTS: Readonly<Record<DotenvDialect, Dialect>> = {
  dotenv: { ...NAME, reader: 'a dotenv file', line: dotenvLine },
  shell: { ...NAME, reader: 'a shell script', line: shellLine },
  systemd: { ...NAME, reader: 'an EnvironmentFile of systemd', line: systemdLine },
  docker: {
    name: /^[A-Za-z_][A-Za-z0-9_.-]*$/,
    wanted: 'letters, digits, _, . and -, a letter or _ first',
    reader: 'an env file of Docker',
    line: dockerLine,
  },
}

/** What every reader takes as it stands. */
const BARE = /^[A-Za-z0-9_./:@%+,-]*$/

/** For dotenv libraries, which agree on little: nothing is special between single quotes but what python-dotenv unescapes, and
 *  in double quotes what has no `$`, `"`, backslash or backtick. Shells and systemd read the same there. */
function dotenvLine(key: string, text: string): string {
  const { reader } = DIALECTS.dotenv
  checkCharacters(key, text, reader)
  if (BARE.test(text)) return `${key}=${text}`
  // Some libraries make line feeds of them.
  if (text.includes('\r')) throw refusal(key, 'a carriage return', reader)
  // python-dotenv puts in the variables that a text names, in single quotes, too.
  if (!/'|\$\{|\\\\|\\$/.test(text)) return `${key}='${text}'`
  if (!/["$\\`]/.test(text)) return `${key}="${text}"`
  throw new Refusal(
    `${placeOf(key)} has quotes, $ or backslashes together that readers of dotenv files take differently`,
    'name the one that reads it with dialect: shell, systemd or docker',
  )
}

function shellLine(key: string, text: string): string {
  if (KEPT_BY_SHELLS.has(key)) {
    throw new Refusal(
      `${shownKey(key)} is a variable that shells keep for themselves`,
      'rename it with a prefix, or leave it out with except',
    )
  }
  return `export ${key}='${text.replaceAll("'", String.raw`'\''`)}'`
}

/** What Bash or Dash would not take, or would not keep: some end the script, others have a value of their own. */
export const KEPT_BY_SHELLS: ReadonlySet<string> = new Set(
  `_ BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_CMDS BASH_COMMAND BASH_LINENO BASH_SOURCE BASH_SUBSHELL BASH_VERSINFO
   DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD LINENO OPTIND PPID RANDOM SECONDS SHELLOPTS SHLVL SRANDOM
   UID`.split(/\s+/),
)

/** Line breaks stand as they are in its quotes. */
function systemdLine(key: string, text: string): string {
  checkCharacters(key, text, DIALECTS.systemd.reader)
  return `${key}=${BARE.test(text) ? text : `"${text.replaceAll(/["\\`$]/g, String.raw`\$&`)}"`}`
}

/** To systemd, Unicode's noncharacters are no UTF-8, and one of them spoils the file. */
function checkCharacters(key: string, text: string, reader: string): void {
  checkText(key, text, reader)
  if (/\p{Noncharacter_Code_Point}/u.test(text)) throw refusal(key, 'a noncharacter of Unicode', reader)
}

/** How long a line may be for Docker, in bytes. */
const DOCKER_LINE_BYTES_MAX = 65_535

/** Docker has no quotes and no escapes: what stands behind `=` is the value. */
function dockerLine(key: string, text: string): string {
  const { reader } = DIALECTS.docker
  checkText(key, text, reader)
  if (text.includes('\n')) throw refusal(key, 'a line break', reader)
  if (text.includes('\r')) throw refusal(key, 'a carriage return', reader)
  const line = `${key}=${text}`
  if (byteLength(line) > DOCKER_LINE_BYTES_MAX) {
    throw new Refusal(`${placeOf(key)} is longer than ${reader} may be in one line`, ELSEWHERE)
  }
  return line
}

function refusal(key: string, what: string, reader: string): Refusal {
  return new Refusal(`${placeOf(key)} has ${what} in it, which ${reader} cannot hold`, ELSEWHERE)
}
