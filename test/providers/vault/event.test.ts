import { describe, expect, test } from 'vitest'
import { parseEvent, subjectsOf } from '../../../providers/vault/event.ts'

describe('the names that an event has', () => {
  const event = (type: string, path: string, more: object = {}) =>
    parseEvent(
      JSON.stringify({
        data: {
          event: { metadata: { path, modified: 'true' } },
          event_type: type,
          plugin_info: { mount_path: 'a/data/' },
          ...more,
        },
      }),
    )

  test.each([
    ['kv-v2/data-write', 'a/data/data/x/y', { isVersioned: true, name: 'x/y' }],
    ['kv-v2/metadata-delete', 'a/data/metadata/data/x', { isVersioned: true, name: 'data/x' }],
    ['kv-v1/write', 'a/data/x', { isVersioned: false, name: 'x' }],
  ])('%s %s', (type, path, expected) => {
    expect(event(type, path)).toEqual({ namespace: undefined, mount: 'a/data', ...expected })
    expect(event(type, path, { namespace: 'n/m/' })?.namespace).toBe('n/m')
  })

  test.each([
    ['kv-v2/data-write', 'b/data/data/x'],
    ['kv-v2/data-write', 'a/data2/data/x'],
    ['kv-v2/config-write', 'a/data/config'],
    ['database/rotate', 'a/data/x'],
    ['kv-v3/write', 'a/data/x'],
  ])('and none: %s %s', (type, path) => {
    expect(event(type, path)).toBeUndefined()
  })

  test('lead to what may be asked for, and to the lists above', () => {
    const about = { namespace: '', mount: 'kv', isVersioned: true }
    expect(subjectsOf({ ...about, name: 'a/b' })).toEqual([
      'secret kv/a/b',
      'api kv/data/a/b',
      'api kv/metadata/a/b',
      'api kv/subkeys/a/b',
      'api kv/a/b',
      'list kv',
      'list kv/a',
      'list kv/metadata',
      'list kv/metadata/a',
    ])
    expect(subjectsOf({ ...about, name: 'data/b' })).not.toContain('api kv/data/b')
    expect(subjectsOf({ ...about, isVersioned: false, name: 'b' })).toEqual(['secret kv/b', 'api kv/b', 'list kv'])
  })
})
