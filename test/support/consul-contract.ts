import { expect, onTestFinished, test } from 'vitest'
import { ConsulClient } from './consul-client.ts'

/** Makes a Consul that holds nothing, and gives its URL. */
type Start = () => Promise<string>

async function beginWith(start: Start): Promise<ConsulClient> {
  const client = new ConsulClient(await start())
  onTestFinished(() => client.close())
  return client
}

/** What the provider relies on, as tests: on a real Consul, and on the double, which may say nothing else. */
export function consulContract(start: Start): void {
  const begin = () => beginWith(start)

  test('a key is a list of one pair, its value in base64, with the index of what was read', async () => {
    const client = await begin()
    await client.put('a/b', 'text')
    const { status, index, text, headers } = await client.exchange('GET', 'kv/a/b')
    expect(status).toBe(200)
    const [pair, ...more] = JSON.parse(text) as Readonly<Record<string, unknown>>[]
    expect(more).toEqual([])
    expect(pair).toMatchObject({ Key: 'a/b', Value: 'dGV4dA==', Flags: 0, LockIndex: 0 })
    expect(index).toBeGreaterThanOrEqual(pair?.ModifyIndex as number)
    expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' })
  })

  test('an empty value is null', async () => {
    const client = await begin()
    await client.put('a', '')
    expect(JSON.parse((await client.exchange('GET', 'kv/a')).text)).toMatchObject([{ Value: null }])
  })

  test.each(['kv/none', 'kv/none?recurse'])('what is not there is a 404 with an index (%s)', async path => {
    const client = await begin()
    await client.put('other', '1')
    const { status, index, text } = await client.exchange('GET', path)
    expect([status, text]).toEqual([404, ''])
    expect(index).toBeGreaterThan(0)
  })

  test('a recursive read is all that begins so, in the order of their bytes', async () => {
    const client = await begin()
    for (const key of ['a/b', 'a/ä', 'a/B', 'ab', 'a/b/c', 'b']) await client.put(key, '1')
    const { text } = await client.exchange('GET', 'kv/a?recurse')
    const keys = (JSON.parse(text) as { readonly Key: string }[]).map(({ Key }) => Key)
    expect(keys).toEqual(['a/B', 'a/b', 'a/b/c', 'a/ä', 'ab'])
  })

  test('a change raises the index, and a pair knows when it was made and when it was changed', async () => {
    const client = await begin()
    await client.put('a', '1')
    const before = await client.exchange('GET', 'kv/a')
    await client.put('a', '2')
    const after = await client.exchange('GET', 'kv/a')
    expect(after.index).toBeGreaterThan(before.index)
    const [[one], [two]] = [JSON.parse(before.text), JSON.parse(after.text)] as [[Indexes], [Indexes]]
    expect(two.CreateIndex).toBe(one.CreateIndex)
    expect(two.ModifyIndex).toBeGreaterThan(one.ModifyIndex)
  })

  test('a query waits until its index is passed, and answers at once when it was before', async () => {
    const client = await begin()
    await client.put('a', '1')
    const { index } = await client.exchange('GET', 'kv/a')
    const waiting = client.exchange('GET', `kv/a?index=${index}&wait=20s`)
    await client.put('a', '2')
    const changed = await waiting
    expect(JSON.parse(changed.text)).toMatchObject([{ Value: Buffer.from('2').toString('base64') }])
    expect(changed.index).toBeGreaterThan(index)
    expect((await client.exchange('GET', `kv/a?index=${index}&wait=20s`)).index).toBe(changed.index)
  })

  test('the end of a wait is an answer with the same index', async () => {
    const client = await begin()
    await client.put('a', '1')
    const { index } = await client.exchange('GET', 'kv/a')
    const { status, index: same, text } = await client.exchange('GET', `kv/a?index=${index}&wait=50ms`)
    expect([status, same]).toEqual([200, index])
    expect(JSON.parse(text)).toMatchObject([{ Key: 'a' }])
  })

  test('a query on a key that is not there is answered when it comes', async () => {
    const client = await begin()
    await client.put('other', '1')
    const { index } = await client.exchange('GET', 'kv/a')
    const waiting = client.exchange('GET', `kv/a?index=${index}&wait=20s`)
    await client.put('a', '1')
    expect((await waiting).status).toBe(200)
  })

  test('a removal is a 404 with a greater index', async () => {
    const client = await begin()
    await client.put('a', '1')
    const { index } = await client.exchange('GET', 'kv/a')
    const waiting = client.exchange('GET', `kv/a?index=${index}&wait=20s`)
    await client.remove('a')
    const gone = await waiting
    expect(gone.status).toBe(404)
    expect(gone.index).toBeGreaterThan(index)
  })

  test('what it has not is a 404 without an index', async () => {
    const { status, headers } = await (await begin()).exchange('GET', 'no-such-part')
    expect(status).toBe(404)
    expect(headers).not.toHaveProperty('x-consul-index')
  })
}

/** The same of the clusters that it knows, where it is new enough. */
export function peersContract(start: Start): void {
  const begin = () => beginWith(start)

  test('the peerings are a list with an index, also when there are none', async () => {
    const { status, index, text } = await (await begin()).exchange('GET', 'peerings')
    expect([status, JSON.parse(text)]).toEqual([200, []])
    expect(index).toBeGreaterThan(0)
  })

  test('a peering that is made is told to a query that waits, and is pending', async () => {
    const client = await begin()
    const { index } = await client.exchange('GET', 'peerings')
    const waiting = client.exchange('GET', `peerings?index=${index}&wait=20s`)
    const made = { PeerName: 'other', Meta: { env: 'test' } }
    expect(await client.must('POST', 'peering/token', JSON.stringify(made))).toHaveProperty('PeeringToken')
    const told = await waiting
    expect(told.index).toBeGreaterThan(index)
    expect(JSON.parse(told.text)).toEqual([
      {
        ID: expect.any(String) as string,
        Name: 'other',
        Meta: { env: 'test' },
        State: 'PENDING',
        StreamStatus: {
          ImportedServices: null,
          ExportedServices: null,
          LastHeartbeat: expect.any(String) as string,
          LastReceive: expect.any(String) as string,
          LastSend: expect.any(String) as string,
        },
        CreateIndex: expect.any(Number) as number,
        ModifyIndex: expect.any(Number) as number,
        Remote: { Partition: '', Datacenter: '' },
      },
    ])
  })
}

interface Indexes {
  readonly CreateIndex: number
  readonly ModifyIndex: number
}
