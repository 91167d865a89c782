import { comparePrereleases, compareVersions, parseVersion, type Version } from './version.ts'

/** Which versions are wanted, as Masterminds/semver 3.3 has it: `>= 1.2, < 3 || ~4.5`. Npm's ranges mean other things in places. */
export type Constraints = readonly (readonly Constraint[])[]

interface Constraint {
  readonly operator: string
  readonly version: Version
  /** Which part is the first that was left out, or given as `x`. */
  readonly open: 'major' | 'minor' | 'patch' | 'none'
}

const LENGTH_MAX = 1_000

const VERSION = String.raw`v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?`
const ONE = new RegExp(String.raw`\s*(?:(!=|>=|=>|<=|=<|~>|[=><~^])\s*)?${VERSION}`, 'y')
const BETWEEN = /\s*,\s*|\s+|$/y
const RANGE = new RegExp(String.raw`\s*(${VERSION})\s+-\s+(${VERSION})\s*`, 'g')
const FIRST_OF_RANGE = 1
const LAST_OF_RANGE = 6

/** Throws an Error when the text is no constraint; `quoted` shows a part of it. */
export function parseConstraints(text: string, quoted: (part: string) => string): Constraints {
  if (text.length > LENGTH_MAX) throw new Error(`the constraint is longer than ${LENGTH_MAX} characters`)
  const withoutRanges = text.replaceAll(
    RANGE,
    (...groups) => `>= ${groups[FIRST_OF_RANGE]}, <= ${groups[LAST_OF_RANGE]} `,
  )
  return withoutRanges.split('||').map(part => parseAll(part, quoted))
}

function parseAll(text: string, quoted: (part: string) => string): readonly Constraint[] {
  const all: RegExpExecArray[] = []
  for (let at = 0; at < text.length || all.length === 0;) {
    ONE.lastIndex = at
    const one = ONE.exec(text)
    BETWEEN.lastIndex = ONE.lastIndex
    if (one === null || BETWEEN.exec(text) === null) throw new Error(`improper constraint: ${quoted(text)}`)
    all.push(one)
    at = BETWEEN.lastIndex
  }
  // A comma wants another one after it.
  if (/,\s*$/.test(text)) throw new Error(`improper constraint: ${quoted(text)}`)
  return all.map(parseOne)
}

function parseOne([, operator = '', major = '', minor = '', patch = '', prerelease = '']: RegExpExecArray): Constraint {
  const open = isOpen(major) ? 'major' : isOpen(minor) ? 'minor' : isOpen(patch) ? 'patch' : 'none'
  const [first, second, third] = [
    open === 'major' ? '0' : major,
    open === 'major' || open === 'minor' ? '.0' : minor,
    open === 'none' ? patch : '.0',
  ]
  try {
    return { operator, version: parseVersion(first + second + third + prerelease), open }
  } catch {
    throw new Error('constraint Parser Error')
  }
}

function isOpen(part: string): boolean {
  return /^\.?[xX*]?$/.test(part)
}

/** Whether all of any alternative hold. */
export function satisfies(version: Version, constraints: Constraints): boolean {
  return constraints.some(all => all.every(one => holds(version, one)))
}

function holds(version: Version, constraint: Constraint): boolean {
  const { operator, open } = constraint
  const isUnwanted = version.prerelease !== '' && constraint.version.prerelease === ''
  // Who wants no prerelease gets none; but a full version is unlike every prerelease.
  if (isUnwanted && !(operator === '!=' && open === 'none')) return false
  const order = compareVersions(version, constraint.version)
  switch (operator) {
    case '':
    case '=':
      return open === 'none' ? order === 0 : isNear(version, constraint)
    case '!=':
      return isUnlike(version, constraint)
    case '>':
      return isAbove(version, constraint)
    case '<':
      return order < 0
    case '>=':
    case '=>':
      return order >= 0
    case '<=':
    case '=<':
      return open === 'none' ? order <= 0 : !isBeyond(version, constraint)
    case '~':
    case '~>':
      return isNear(version, constraint)
    default:
      return isCompatible(version, constraint)
  }
}

function isUnlike(version: Version, { version: other, open }: Constraint): boolean {
  if (open === 'none') return compareVersions(version, other) !== 0
  if (version.major !== other.major) return true
  if (version.minor !== other.minor && open !== 'minor') return true
  if (open === 'minor') return false
  if (version.patch !== other.patch && open !== 'patch') return true
  if (open === 'patch') return comparePrereleases(version.prerelease, other.prerelease) !== 0
  return compareVersions(version, other) !== 0
}

/** Above `11` is 12, and above `11.1` is 11.2. */
function isAbove(version: Version, { version: other, open }: Constraint): boolean {
  if (open === 'none') return compareVersions(version, other) > 0
  if (version.major !== other.major) return version.major > other.major
  if (open === 'minor') return false
  if (open === 'patch') return version.minor > other.minor
  return compareVersions(version, other) > 0
}

function isBeyond(version: Version, { version: other, open }: Constraint): boolean {
  if (version.major !== other.major) return version.major > other.major
  return version.minor > other.minor && open !== 'minor'
}

/** At least the version, with the same first two numbers, as far as they are given. */
function isNear(version: Version, { version: other, open }: Constraint): boolean {
  if (compareVersions(version, other) < 0) return false
  const isZero = other.major === 0n && other.minor === 0n && other.patch === 0n
  if (isZero && open !== 'minor' && open !== 'patch') return true
  return version.major === other.major && (version.minor === other.minor || open === 'minor')
}

/** At least the version, with the same first number that is not zero. */
function isCompatible(version: Version, { version: other, open }: Constraint): boolean {
  if (compareVersions(version, other) < 0 || version.major !== other.major) return false
  if (other.major > 0n || open === 'minor') return true
  if (other.minor > 0n || open === 'patch') return version.minor === other.minor
  return version.minor === other.minor && version.patch === other.patch
}
