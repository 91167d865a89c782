import { describe, expect, test } from 'vitest'
import { candidatesFor, lineIn, nearestPath } from '../../cmd/output-file.ts'
import type { BundleOptions } from '../../lib/bundle.ts'

const bundle = (name: string, volume: string | undefined, files: readonly object[]) =>
  [name, { name, volume, files } as unknown as BundleOptions] as const
const file = (path: string) => ({ path, source: { kind: 'template' } })
const bundles = new Map([
  bundle('web', '/run/web', [file('app.conf'), file('a:8'), { path: 'conf.d', source: { kind: 'tree' } }]),
  bundle('api', '/run/api', [file('app.conf')]),
  bundle('vm', undefined, [file('/etc/app/x.conf')]),
  // May have any path.
  bundle('gen', '/run/gen', [{ path: '{{ .Key }}', source: { kind: 'template', forEach: '{{ list }}' } }]),
])

const found = (text: string) =>
  candidatesFor(text, bundles).flatMap(({ bundle: { name }, places }) =>
    places.map(({ path, diskPath }) => `${name} ${path} ${diskPath}`),
  )

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
    ['in the volume that it is in, and in no other', '/run/web/conf.d/b', ['web conf.d/b /run/web/conf.d/b']],
    [
      'wherever only a render knows',
      'conf.d/b:2',
      [
        'web conf.d/b:2 /run/web/conf.d/b:2',
        'web conf.d/b /run/web/conf.d/b',
        'gen conf.d/b:2 /run/gen/conf.d/b:2',
        'gen conf.d/b /run/gen/conf.d/b',
      ],
    ],
    ['nowhere else', '/run/web', []],
    ['not above all volumes', '../app.conf', []],
  ])('%s', (_, text, want) => {
    expect(found(text)).toEqual(want)
  })
})

test('lineIn() gives the line, unless it is part of the name', () => {
  expect(lineIn('app.conf:3', 'app.conf')).toBe(3)
  expect(lineIn('app.conf', 'app.conf')).toBeUndefined()
  expect(lineIn('a:8', 'a:8')).toBeUndefined()
})

test('nearestPath() goes by the whole path, then by its last part', () => {
  const paths = ['nginx/app.conf', 'db.env']

  expect(nearestPath('nginx/ap.conf:3', paths)).toBe('nginx/app.conf')
  expect(nearestPath('app.conf', paths)).toBe('nginx/app.conf')
  expect(nearestPath('/run/old/apq.conf', paths)).toBe('nginx/app.conf')
  expect(nearestPath('other', paths)).toBeUndefined()
})
