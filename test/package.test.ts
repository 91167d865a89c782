import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock

describe('package.json', () => {
  test('asks for exact versions, so that an update is a change that somebody made', () => {
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies })

    expect(versions.filter(version => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  test('names scripts and files that are there, or that the build makes', () => {
    const scripts = Object.values(manifest.scripts).flatMap(text => text.match(/[\w./-]+\.(?:ts|mjs)\b/g) ?? [])

    expect(scripts.filter(path => !existsSync(join(root, path)))).toEqual([])
    expect(manifest.files.filter(path => !path.startsWith('dist/') && !existsSync(join(root, path)))).toEqual([])
    expect(manifest.files).toContain(manifest.bin.outrigger)
  })
})

describe('package-lock.json', () => {
  test('has every package that another asks for, those of other platforms too: npm ci refuses it otherwise', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { dependencies = {}, optionalDependencies = {} }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter(name => placesOf(path, name).every(place => lock.packages[place] === undefined))
        .map(name => `${path}: ${name}`),
    )

    expect(missing).toEqual([])
  })

  test('was made from package.json', () => {
    const { dependencies, devDependencies } = lock.packages[''] ?? {}

    expect({ dependencies, devDependencies }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    })
  })

  test('pins by its contents what every platform installs', () => {
    const everywhere = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && entry.optional !== true)

    expect(everywhere.filter(([, { integrity }]) => integrity === undefined)).toEqual([])
  })
})

interface Manifest {
  readonly bin: { readonly outrigger: string }
  readonly files: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly integrity?: string
  readonly optional?: boolean
}

/** Where a package that is required from `path` may lie, the nearest first. */
function placesOf(path: string, name: string): readonly string[] {
  const parts = path === '' ? [] : path.split('/node_modules/')
  return [...parts.keys(), parts.length]
    .map(count => [...parts.slice(0, count), name].join('/node_modules/'))
    .map(place => (place.startsWith('node_modules/') ? place : `node_modules/${place}`))
    .toReversed()
}
