import { expect, test } from 'vitest'
import { absent, type Reading } from '../../lib/reading.ts'
import { eventually } from '../support/eventually.ts'
import type { Fault, FaultProxy } from '../support/fault-proxy.ts'
import { sequence } from '../support/random.ts'
import { valuesOf, type Watching } from './workbench.ts'

const SOON = { withinMs: 20_000 }

/** A server of keys, and a proxy before it. */
export interface Line {
  readonly server: {
    readonly client: { put(key: string, value: string): Promise<unknown>; remove(key: string): Promise<unknown> }
    kill(): Promise<void>
    resume(): Promise<void>
  }
  readonly proxy: FaultProxy
  /** A provider behind the proxy, which notices faults fast, or takes its usual time. */
  readonly open: (manner: 'impatient' | 'patient') => Promise<Reader>
  /** What happens beside the keys that are watched. */
  readonly elsewhere: (text: string) => Promise<unknown>
}

interface Reader {
  /** All keys below `a/`, as pairs. */
  readonly tree: () => Watching
  /** One key below `a/`. */
  readonly key: (name: string) => Watching
  readonly textOf: (reading: Reading) => unknown
}

/** What lines and servers do to a provider of keys, as tests. @param begin a server that holds nothing and outlives its end */
export function lineFaults(begin: () => Promise<Line>): void {
  test.each<Fault>(['hang', 'half-open'])(
    'a connection that is %s is noticed, and read anew over another',
    async fault => {
      const { server, proxy, open } = await begin()
      await server.client.put('a/b', '1')
      const watching = (await open('impatient')).tree()
      await watching.first()

      proxy.fault = fault
      await server.client.put('a/b', '2')
      await eventually(() => expect(watching.ends).not.toEqual([]), SOON)
      expect(watching.ends).toMatchObject(watching.ends.map(() => ({ code: 'timeout' })))
      expect(valuesOf(watching.latest)).toEqual({ b: '1' })
      proxy.fault = 'pass'

      await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }), SOON)
    },
  )

  test('a slow line gives the newest', async () => {
    const { server, proxy, open } = await begin()
    proxy.fault = 'slow'
    const watching = (await open('patient')).tree()
    await watching.first()
    for (let i = 1; i <= 30; i++) await server.client.put('a/b', String(i))
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '30' }), SOON)
    expect(watching.ends).toEqual([])
  })

  test.each([1, 2, 3, 4])('no final state is missed, whatever happens (schedule %i)', async seed => {
    const line = await begin()
    const { tree, key, textOf } = await line.open('impatient')
    const watching = tree()
    const keys = [0, 1, 2, 3, 4, 5].map(i => [`k${i}`, key(`k${i}`)] as const)
    const random = sequence(seed)
    const state: Record<string, string> = {}
    for (let round = 0; round < 25; round++) {
      await act(line, state, random)
      if (random() < 0.3) continue
      line.proxy.fault = 'pass'
      await eventually(() => expect(valuesOf(watching.latest)).toEqual(state), SOON)
      const texts = () => keys.map(([name, { latest }]) => [name, textOf(latest)])
      const wanted = keys.map(([name]) => [name, state[name] ?? absent])
      await eventually(() => expect(texts()).toEqual(wanted), SOON)
    }
    expect(watching.readings.every(({ revision }) => revision !== '')).toBe(true)
  })
}

/** One thing that happens to the keys or to the line. */
async function act(
  { server, proxy, elsewhere }: Line,
  state: Record<string, string>,
  random: () => number,
): Promise<void> {
  const key = `k${Math.floor(random() * 4)}`
  switch (Math.floor(random() * 7)) {
    case 0:
      delete state[key]
      await server.client.remove(`a/${key}`)
      break
    case 1:
      proxy.cut()
      break
    case 2:
      proxy.fault = (['hang', 'half-open', 'refuse', 'slow'] as const)[Math.floor(random() * 4)] ?? 'hang'
      break
    case 3:
      await elsewhere(String(random()))
      break
    case 4:
      if (random() < 0.3) {
        await server.kill()
        await server.resume()
      }
      break
    default:
      state[key] = String(random())
      await server.client.put(`a/${key}`, state[key])
  }
}
