import { compareText } from '../../operand.ts'

/** A version as Masterminds/semver 3.3 reads it: more than Semantic Versioning allows, `v1.2` say. */
export interface Version {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  readonly prerelease: string
  readonly metadata: string
}

const VERSION =
  /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/

/** Throws an Error when the text is no version. */
export function parseVersion(text: string): Version {
  const match = VERSION.exec(text)
  if (match === null) throw new Error('Invalid Semantic Version')
  const [, major = '', minor = '0', patch = '0', prerelease = '', metadata = ''] = match
  const version = { major: segment(major), minor: segment(minor), patch: segment(patch), prerelease, metadata }
  if (/(^|\.)0[0-9]+(\.|$)/.test(prerelease)) throw new Error('Version segment starts with 0')
  return version
}

function segment(digits: string): bigint {
  const value = digits.length > DIGITS_MAX ? 2n ** 64n : BigInt(digits)
  if (value === BigInt.asUintN(64, value)) return value
  throw new Error(`Error parsing version segment: strconv.ParseUint: parsing "${digits}": value out of range`)
}

const DIGITS_MAX = 100

export function printVersion({ major, minor, patch, prerelease, metadata }: Version): string {
  const tail = (prerelease === '' ? '' : `-${prerelease}`) + (metadata === '' ? '' : `+${metadata}`)
  return `${major}.${minor}.${patch}${tail}`
}

/** Negative, zero or positive; metadata do not count. */
export function compareVersions(a: Version, b: Version): number {
  if (a.major !== b.major) return a.major < b.major ? -1 : 1
  if (a.minor !== b.minor) return a.minor < b.minor ? -1 : 1
  if (a.patch !== b.patch) return a.patch < b.patch ? -1 : 1
  if (a.prerelease === b.prerelease) return 0
  if (a.prerelease === '' || b.prerelease === '') return a.prerelease === '' ? 1 : -1
  return comparePrereleases(a.prerelease, b.prerelease)
}

export function comparePrereleases(a: string, b: string): number {
  const [ours, theirs] = [a.split('.'), b.split('.')]
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const order = compareParts(ours[i] ?? '', theirs[i] ?? '')
    if (order !== 0) return order
  }
  return 0
}

/** Fewer parts come first, then numbers, then words. */
function compareParts(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? -1 : 1
  const [one, other] = [numberOf(a), numberOf(b)]
  if (one !== undefined && other !== undefined) return one > other ? 1 : -1
  if (one !== undefined || other !== undefined) return one !== undefined ? -1 : 1
  return compareText(a, b) > 0 ? 1 : -1
}

function numberOf(part: string): bigint | undefined {
  if (!/^[0-9]+$/.test(part) || part.length > DIGITS_MAX) return undefined
  const value = BigInt(part)
  return value === BigInt.asUintN(64, value) ? value : undefined
}
