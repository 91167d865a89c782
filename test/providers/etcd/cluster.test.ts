import { describe, expect, onTestFinished, test } from 'vitest'
import { EtcdServer, onEtcd, whyNoEtcd } from '../../support/etcd-server.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { scratch } from '../../support/scratch.ts'
import { valuesOf } from '../workbench.ts'
import { EtcdBench } from './harness.ts'

const SOON = { withinMs: 30_000 }
const MEMBERS = [0, 1, 2]

/** Three members of one cluster, which elect a leader. */
async function startCluster(): Promise<readonly EtcdServer[]> {
  const peers = await Promise.all(
    MEMBERS.map(async i => ({ name: `m${i}`, url: `http://127.0.0.1:${await freePort()}` })),
  )
  const cluster = peers.map(({ name, url }) => `${name}=${url}`).join()
  const members = peers.map(({ name, url }) => {
    const flags = [
      `--name=${name}`,
      `--listen-peer-urls=${url}`,
      `--initial-advertise-peer-urls=${url}`,
      `--initial-cluster=${cluster}`,
    ]
    return EtcdServer.start(scratch({ inMemory: true }), { flags })
  })
  // None answers before most are there, so all are started together; and those that are there end also when one was not.
  onTestFinished(async () => {
    const started = await Promise.allSettled(members)
    for (const member of started) if (member.status === 'fulfilled') await member.value.kill()
  })
  return await Promise.all(members)
}

/** Holds members up while something is done: they keep their connections and answer nothing. */
async function heldUp<T>(members: readonly EtcdServer[], act: () => Promise<T>): Promise<T> {
  for (const { pid } of members) process.kill(pid, 'SIGSTOP')
  try {
    return await act()
  } finally {
    for (const { pid } of members) process.kill(pid, 'SIGCONT')
  }
}

describe(`a cluster of three ${onEtcd}`, { skip: whyNoEtcd !== undefined, timeout: 120_000 }, () => {
  test('the loss of a member, of the leader and of most of them misses nothing and makes nothing blank', async () => {
    const members = await startCluster()
    const [first, second, third] = members as [EtcdServer, EtcdServer, EtcdServer]
    const put = (member: EtcdServer, value: string) => eventually(() => member.client.put('a/b', value), SOON)
    await put(first, '0')
    const bench = await EtcdBench.open({
      endpoints: members.map(({ url }) => url),
      heartbeat: '300ms',
      timeout: '300ms',
      poll: '1h',
    })
    const watching = bench.prefix('a')
    const shows = (b: string) => eventually(() => expect(valuesOf(watching.latest)).toEqual({ b }), SOON)
    await shows('0')

    // One of the three leads, so each in its turn is the leader's loss as well.
    for (const [i, member] of members.entries()) {
      await heldUp([member], async () => {
        await put(members[(i + 1) % MEMBERS.length] as EtcdServer, `without ${i}`)
        await shows(`without ${i}`)
      })
    }
    const ended = watching.ends.length
    await heldUp([first, second], () => eventually(() => expect(watching.ends.length).toBeGreaterThan(ended), SOON))
    await put(third, 'again')
    await shows('again')

    for (const reading of watching.readings) expect(valuesOf(reading)).toHaveProperty('b')
    for (const end of watching.ends) expect(['unavailable', 'timeout']).toContain((end as { code?: string }).code)
  })
})
