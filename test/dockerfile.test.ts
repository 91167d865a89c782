import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { builtProgram } from './support/program.ts'
import { scratch } from './support/scratch.ts'

const root = resolve(import.meta.dirname, '..')
const instructions = readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

describe('the image', () => {
  test('is made from images of a stated version, with the Node that is pinned', () => {
    const images = of('ARG')
      .map(text => text.split('='))
      .filter(([name]) => name?.endsWith('_IMAGE'))

    expect(images).toContainEqual(['NODE_IMAGE', expect.stringContaining(`node:${manifest.devDependencies.node}-`)])
    for (const [, image] of images) expect(image).toMatch(/:[a-z0-9.-]+$/)
    expect(images.map(([, image]) => image)).not.toContainEqual(expect.stringContaining('latest'))
  })

  test('copies what is there, and nothing that the builder is not sent', () => {
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
    const sent = ignored.filter(line => line.startsWith('!')).map(line => line.slice(1))
    const sources = of('COPY')
      .filter(text => !text.startsWith('--from='))
      .flatMap(text => text.split(/\s+/).slice(0, -1))

    expect(ignored).toContain('*')
    expect(sources).not.toEqual([])
    expect(sources.filter(source => !existsSync(join(root, source)))).toEqual([])
    expect(sources.toSorted()).toEqual(sent.toSorted())
  })

  test('copies from stages that it has', () => {
    const stages = of('FROM').flatMap(text => /\bAS (\S+)$/i.exec(text)?.[1] ?? [])
    const from = of('COPY').flatMap(text => /^--from=(\S+)/.exec(text)?.[1] ?? [])

    expect(from).not.toEqual([])
    for (const stage of from) expect(stages).toContain(stage)
  })

  test('runs the program that the build makes, under tini, in exec form', () => {
    const made = `/src/${manifest.bin.outrigger}`
    const copied = of('COPY')
      .find(text => text.includes(made))
      ?.split(/\s+/)
      .at(-1)
    const entrypoint = JSON.parse(of('ENTRYPOINT')[0] ?? '') as readonly string[]

    expect(of('RUN').some(text => text.includes(`node cmd/build/bundle.ts ${manifest.bin.outrigger}`))).toBe(true)
    expect(copied).toBeDefined()
    expect(entrypoint.at(0)).toMatch(/\/tini$/)
    expect(entrypoint.at(-1)).toBe(copied)
    expect(of('COPY')).toContain(`--from=build ${made}.compiled ${copied}.compiled`)
    expect(JSON.parse(of('CMD')[0] ?? '')).toEqual(['run'])
  })

  test('has the program in the PATH as it runs it itself, for who asks it something from outside', () => {
    const [, , ...command] = JSON.parse(of('ENTRYPOINT')[0] ?? '') as readonly string[]
    const script = of('RUN').find(text => text.includes('> /usr/local/bin/outrigger'))

    expect(command.shift()).toBe('--')
    expect(script).toContain(`exec ${command.join(' ')} "$@"`)
    const directory = scratch()
    const made = script?.replaceAll('/usr/local/bin/outrigger', join(directory, 'outrigger')) ?? 'false'
    expect(spawnSync('sh', ['-c', made]).status).toBe(0)
    writeFileSync(
      join(directory, 'outrigger'),
      readFileSync(join(directory, 'outrigger'), 'utf8')
        .replace('/usr/local/bin/node', process.execPath)
        .replace('/usr/local/lib/outrigger/outrigger.js', builtProgram()),
    )
    const { stdout, status } = spawnSync(join(directory, 'outrigger'), ['--version'])
    expect([status, stdout.toString()]).toEqual([0, `${manifest.version}\n`])
  })

  test('gives Node flags that it takes', () => {
    const entrypoint = JSON.parse(of('ENTRYPOINT')[0] ?? '') as readonly string[]
    const flags = entrypoint.filter(part => /^--[a-z]/.test(part))

    expect(flags).toContain('--max-old-space-size=64')
    const { status, stderr } = spawnSync(process.execPath, [...flags, builtProgram(), '--version'])
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
  })

  test('ends as a user without rights, named by number', () => {
    const last = of('USER').at(-1)

    expect(last).toBe('65532:65532')
    expect(instructions.findLastIndex(({ word }) => word === 'USER')).toBeGreaterThan(
      instructions.findLastIndex(({ word }) => word === 'RUN'),
    )
  })

  test('holds no secret', () => {
    const text = instructions.map(({ rest }) => rest).join('\n')

    expect(text).not.toMatch(/\b\w*(token|password|passwd=|secret|credential|private_key)\w*\s*=/i)
    expect(text).not.toMatch(/npmrc|\.ssh|\.git\b|:\/\/[^/\s]*@/)
  })
})

interface Manifest {
  readonly version: string
  readonly bin: { readonly outrigger: string }
  readonly devDependencies: { readonly node: string }
}

interface Instruction {
  readonly word: string
  readonly rest: string
}

function readDockerfile(text: string): readonly Instruction[] {
  const joined = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n/g, ' ')
  return joined
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? []
      return { word: word.toUpperCase(), rest }
    })
}

function of(word: string): readonly string[] {
  return instructions.filter(instruction => instruction.word === word).map(({ rest }) => rest)
}
