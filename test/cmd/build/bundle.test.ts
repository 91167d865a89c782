import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundle } from '../../../cmd/build/bundle.ts'
import { builtProgram } from '../../support/program.ts'
import { scratch } from '../../support/scratch.ts'

const root = resolve(import.meta.dirname, '../../..')

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

describe('what V8 made of the program when it was built', () => {
  test('is used by the Node that made it', () => {
    expect(compiledBytesUsed(builtProgram())).toBeGreaterThan(100_000)
  })

  test('is used with the flags of the image', () => {
    const flags = ['--max-semi-space-size=1', '--max-old-space-size=64', '--v8-pool-size=0']

    expect(compiledBytesUsed(builtProgram(), flags)).toBeGreaterThan(100_000)
  })

  test.each([
    ['is not there', () => undefined],
    ['is damaged', (bytes: Buffer) => bytes.fill(~(bytes[200_000] ?? 0), 200_000, 200_001)],
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['is empty', () => Buffer.alloc(0)],
  ])('is done without when it %s', (_, change) => {
    const program = join(scratch(), 'outrigger.js')
    copyFileSync(builtProgram(), program)
    const bytes = change(readFileSync(`${builtProgram()}.compiled`))
    if (bytes !== undefined) writeFileSync(`${program}.compiled`, bytes)

    expect(compiledBytesUsed(program)).toBe(0)
  })

  test('is not used with flags for which V8 would have made something else', () => {
    expect(compiledBytesUsed(builtProgram(), ['--stack-size=500'])).toBe(0)
  })

  test('is removed when a program is built that was not tried out', async () => {
    const outfile = join(scratch(), 'program.js')
    writeFileSync(`${outfile}.compiled`, 'of another program')

    await bundle(outfile, { tryOut: false })

    expect(existsSync(`${outfile}.compiled`)).toBe(false)
    expect(compiledBytesUsed(outfile)).toBe(0)
  })

  test('is not made of a program that fails', async () => {
    const entry = join(scratch(), 'entry.ts')
    writeFileSync(entry, `process.stderr.write('no such thing'); process.exit(1)`)

    await expect(bundle(join(scratch(), 'program.js'), { entry, tryOut: true })).rejects.toThrow('no such thing')
  })
})

test('the package runs where it is installed, through the link that is made for its bin', () => {
  const directory = scratch()
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    bin: { outrigger: string }
    files: readonly string[]
  }
  const installed = join(directory, 'node_modules', 'outrigger')
  mkdirSync(join(installed, 'dist'), { recursive: true })
  mkdirSync(join(directory, 'node_modules', '.bin'))
  copyFileSync(join(root, 'package.json'), join(installed, 'package.json'))
  // What the build makes is what is shipped; the build itself is tried below.
  const built: Readonly<Record<string, string>> = {
    'dist/outrigger.js': builtProgram(),
    'dist/outrigger.js.compiled': `${builtProgram()}.compiled`,
  }
  writeFileSync(join(installed, 'dist', 'package.json'), '{ "type": "commonjs" }\n')
  for (const file of manifest.files) if (built[file] !== undefined) copyFileSync(built[file], join(installed, file))
  const link = join(directory, 'node_modules', '.bin', 'outrigger')
  symlinkSync(join('..', 'outrigger', manifest.bin.outrigger), link)

  expect(manifest.files).toEqual(expect.arrayContaining([...Object.keys(built), 'dist/package.json']))
  expect(run(link, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(compiledBytesUsed(link)).toBeGreaterThan(100_000)
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

  test('gives a stack the lines of its file', async () => {
    const program = await bundled({
      'entry.ts': `
        function later() { process.stdout.write(new Error('here').stack ?? '') }
        setImmediate(later)`,
    })

    const [, line = ''] = /at .*later.*program\.js:(\d+):/.exec(run(program)) ?? []
    const lines = readFileSync(program, 'utf8').split('\n')
    expect(lines[Number(line) - 1] ?? '').toContain('function later()')
  })

  test('keeps what would end a comment', async () => {
    const program = await bundled({
      'entry.ts': `process.stdout.write(['*/ \\x7f \x7f', '/* a */'.replace(/^.*/, '*/'), \`*/\`].join(' '))`,
    })

    expect(run(program)).toBe('*/ \x7f \x7f */ */')
  })

  test('can import what is built in, late', async () => {
    const program = await bundled({
      'entry.ts': `void import('node:os').then(({ EOL }) => process.stdout.write(JSON.stringify(EOL)))`,
    })

    expect(run(program)).toBe('"\\n"')
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

/** How much of what was compiled beforehand V8 takes over when it starts the program. Node's own modules, of which some are
 *  compiled beforehand as well, have less than 100 kB each. */
function compiledBytesUsed(program: string, flags: readonly string[] = []): number {
  const args = [...flags, '--profile-deserialization', program, '--version']
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+$/m)
  const sizes = [...stdout.matchAll(/Deserializing from (\d+) bytes/g)].map(([, size]) => Number(size))
  return Math.max(0, ...sizes.filter(size => size > 100_000))
}

function run(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
}
