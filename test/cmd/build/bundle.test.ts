import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundle } from '../../../cmd/build/bundle.ts'
import { builtProgram } from '../../support/program.ts'
import { scratch } from '../../support/scratch.ts'

describe('the built program', () => {
  test('is one executable file that needs nothing beside it', () => {
    const text = readFileSync(builtProgram(), 'utf8')

    expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true)
    accessSync(builtProgram(), constants.X_OK)
    const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name?.replace(/^node:/, '') ?? '')
    expect(required.filter(name => process.getBuiltinModule(name) === undefined)).toEqual([])
  })

  test('is ASCII, because V8 keeps anything else in twice the memory', () => {
    expect(readFileSync(builtProgram()).every(byte => byte < 0x80)).toBe(true)
  })

  test('says its version', () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8')) as {
      version: string
    }

    const { stdout, status } = spawnSync(builtProgram(), ['--version'], { encoding: 'utf8' })

    expect({ stdout, status }).toEqual({ stdout: `${version}\n`, status: 0 })
  })

  test('carries the notices of the packages inside', async () => {
    const outfile = join(scratch(), 'program.js')
    const { packages } = await bundle(outfile)

    const text = readFileSync(outfile, 'utf8')
    expect(packages).toContainEqual(expect.stringMatching(/^commander@/))
    for (const named of packages) {
      const [, name, version] = /^(.+)@(.+)$/.exec(named) ?? []
      expect(text).toContain(`/*\n${name} ${version} (`)
    }
    expect(
      text.match(/Permission is hereby granted|Redistribution and use|Permission to use, copy/g)?.length,
    ).toBeGreaterThan(packages.length / 2)
  })
})

test('the build makes a program that runs beside a package.json of type module', () => {
  const directory = scratch()
  const outfile = join(directory, 'dist', 'outrigger.js')
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')

  const script = resolve(import.meta.dirname, '../../../cmd/build/bundle.ts')
  const built = spawnSync(process.execPath, [script, outfile], { encoding: 'utf8' })

  expect({ status: built.status, stderr: built.stderr }).toEqual({ status: 0, stderr: '' })
  expect(built.stdout).toMatch(/outrigger\.js: \d+ kB, with .*commander@/)
  expect(run(outfile, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
})

describe('bundle()', () => {
  test('leaves a module that is imported dynamically unevaluated until then', async () => {
    const program = await bundled({
      'entry.ts': `
        async function main() {
          const late = process.argv[2] === 'late' ? (await import('./late.ts')).value : 'not loaded'
          process.stdout.write(late)
        }
        void main()`,
      'late.ts': `process.stdout.write('evaluated, '); export const value = 'loaded'`,
    })

    expect(run(program)).toBe('not loaded')
    expect(run(program, 'late')).toBe('evaluated, loaded')
  })

  test('gives a module its file name, keeps other alphabets, and shares built-in modules', async () => {
    const program = await bundled({
      'entry.ts': `
        const names = ['µ', '日本', '\\u{1f6f6}'].filter(text => /^[µ日本\\u{1f6f6}]+$/u.test(text)).join(' ')
        const same = process.getBuiltinModule('node:fs') === require('node:fs')
        process.stdout.write([__filename === process.argv[1], names, same].join(', '))`,
    })

    expect(run(program)).toBe('true, µ 日本 🛶, true')
  })

  test('leaves out what never runs, and says so should it', async () => {
    const program = await bundled({
      'entry.ts': `const axios = require('axios'); try { axios() } catch (e) { process.stdout.write(e.message) }`,
    })

    expect(run(program)).toBe('axios is not part of this build')
  })

  test('says nothing of the environment, whatever DEBUG is', async () => {
    const program = await bundled({
      'entry.ts': `
        const debug = require('debug')
        const say = debug('name').extend('more')
        say('hidden %o', { password: 'hidden' })
        debug.default('other').enabled = true
        process.stdout.write('said nothing')`,
    })

    const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', env: { DEBUG: '*' } })

    expect({ stdout, stderr }).toEqual({ stdout: 'said nothing', stderr: '' })
  })

  test('fails on a tree that cannot be built', async () => {
    await expect(bundled({ 'entry.ts': `import './gone.ts'` })).rejects.toThrow('gone.ts')
  })
})

async function bundled(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = scratch()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  const { outfile } = await bundle(join(directory, 'program.js'), { entry: join(directory, 'entry.ts') })
  return outfile
}

function run(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
}
