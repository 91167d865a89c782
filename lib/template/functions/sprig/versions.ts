import { Uint } from '../../../base/value.ts'
import type { TemplateFunction } from '../../function.ts'
import { Instance, type Method } from '../../instance.ts'
import { define } from './define.ts'
import { parseConstraints, satisfies } from './version-constraint.ts'
import { compareVersions, parseVersion, printVersion, type Version } from './version.ts'

/** The functions on versions, by the rules of Masterminds/semver 3.3. */
export const versionFunctions: readonly TemplateFunction<unknown>[] = [
  define('semver VERSION', ['string'], text => new VersionInstance('*semver.Version', parseVersion(text), text)),
  define('semverCompare CONSTRAINT VERSION', ['string', 'string'], (constraint, text, execution) => {
    const constraints = parseConstraints(constraint, part => execution.quoted(part, 's'))
    return satisfies(parseVersion(text), constraints)
  }),
]

class VersionInstance extends Instance {
  readonly version: Version

  constructor(typeName: string, version: Version, original: string) {
    super(typeName, methodsOf(version, original), {
      text: () => printVersion(version),
      inJson: () => printVersion(version),
    })
    this.version = version
  }
}

function methodsOf(version: Version, original: string): Readonly<Record<string, Method>> {
  const { major, minor, patch, prerelease, metadata } = version
  const plain = { prerelease: '', metadata: '' }
  const next = (changes: Partial<Version>): Method =>
    getting(() => {
      const changed = { ...version, ...plain, ...changes }
      return new VersionInstance(
        'semver.Version',
        changed,
        (original.startsWith('v') ? 'v' : '') + printVersion(changed),
      )
    })
  return {
    Major: getting(() => new Uint(major)),
    Minor: getting(() => new Uint(minor)),
    Patch: getting(() => new Uint(patch)),
    Prerelease: getting(() => prerelease),
    Metadata: getting(() => metadata),
    Original: getting(() => original),
    String: getting(() => printVersion(version)),
    IncMajor: next({ major: BigInt.asUintN(64, major + 1n), minor: 0n, patch: 0n }),
    IncMinor: next({ minor: BigInt.asUintN(64, minor + 1n), patch: 0n }),
    IncPatch: next(prerelease === '' ? { patch: BigInt.asUintN(64, patch + 1n) } : {}),
    Compare: comparing(version, order => order),
    Equal: comparing(version, order => order === 0),
    LessThan: comparing(version, order => order < 0),
    LessThanEqual: comparing(version, order => order <= 0),
    GreaterThan: comparing(version, order => order > 0),
    GreaterThanEqual: comparing(version, order => order >= 0),
  }
}

function getting(get: () => ReturnType<Method['call']>): Method {
  return { parameters: [], call: get }
}

function comparing(version: Version, meaning: (order: number) => number | boolean): Method {
  return {
    parameters: ['any'],
    call([other]) {
      if (!(other instanceof VersionInstance)) throw new Error('want a version to compare with; use semver')
      return meaning(compareVersions(version, other.version))
    },
  }
}
