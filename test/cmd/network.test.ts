import { expect, test } from 'vitest'
import { networkAddresses } from '../../cmd/network.ts'

test('this machine has a loopback address, and each address has the length of its network', () => {
  const addresses = networkAddresses()

  expect(addresses).toContainEqual(
    expect.objectContaining({ address: '127.0.0.1/8', flags: expect.stringContaining('loopback') as string }),
  )
  expect(addresses.filter(({ address }) => !/^[0-9a-f.:]+\/[0-9]+$/.test(address))).toEqual([])
})
