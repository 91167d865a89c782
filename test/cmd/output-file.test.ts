import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { candidatesFor, lineIn, nearestPath, type Candidate } from '../../cmd/output-file.ts'
import type { BundleOptions } from '../../lib/bundle.ts'

const bundle = (name: string, volume: string | undefined, files: readonly object[]) =>
  [name, { name, volume, files } as unknown as BundleOptions] as const
const file = (path: string) => ({ path, source: { kind: 'template' } })
const bundles = new Map([
  bundle('web', '/run/web', [file('app.conf'), file('a:8'), { path: 'conf.d', source: { kind: 'tree' } }]),
  bundle('api', '/run/api', [file('app.conf')]),
  bundle('vm', undefined, [file('/etc/app/x.conf')]),
])

const found = (text: string) =>
  candidatesFor(text, bundles).map(each => `${each.bundle.name} ${each.path} ${each.diskPath}`)

describe('candidatesFor() finds a file', () => {
  test.each([
    [
      'as configured, in each bundle that has it',
      'app.conf',
      ['web app.conf /run/web/app.conf', 'api app.conf /run/api/app.conf'],
    ],
    ['on disk', '/run/api/app.conf', ['api app.conf /run/api/app.conf']],
    ['on disk, with a line', '/run/api/app.conf:12', ['api app.conf /run/api/app.conf']],
    [
      'through the link to the visible generation',
      '/run/web/..data/app.conf',
      ['web app.conf /run/web/..data/app.conf'],
    ],
    ['in a generation', '/run/web/..g7/conf.d/b/c', ['web conf.d/b/c /run/web/..g7/conf.d/b/c']],
    ['whose name ends as a line does', 'a:8', ['web a:8 /run/web/a:8']],
    ['without a volume', '/etc/app/../app/x.conf:1', ['vm /etc/app/x.conf /etc/app/x.conf']],
    ['nowhere else', '/run/web', []],
  ])('%s', (_, text, want) => {
    expect(found(text)).toEqual(want)
  })
})

test('lineIn() gives the line, unless it is part of the name', () => {
  const candidate = (path: string): Candidate => ({
    bundle: bundles.get('web') as BundleOptions,
    path,
    diskPath: resolve(path),
  })

  expect(lineIn('app.conf:3', candidate('app.conf'))).toBe(3)
  expect(lineIn('app.conf', candidate('app.conf'))).toBeUndefined()
  expect(lineIn('a:8', candidate('a:8'))).toBeUndefined()
})

test('nearestPath() goes by the whole path, then by its last part', () => {
  const paths = ['nginx/app.conf', 'db.env']

  expect(nearestPath('nginx/ap.conf:3', paths)).toBe('nginx/app.conf')
  expect(nearestPath('app.conf', paths)).toBe('nginx/app.conf')
  expect(nearestPath('/run/old/apq.conf', paths)).toBe('nginx/app.conf')
  expect(nearestPath('other', paths)).toBeUndefined()
})
