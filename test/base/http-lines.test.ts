import type { RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { OperationalError } from '../../lib/base/errors.ts'
import { HttpClient } from '../../lib/base/http.ts'
import { HttpLines } from '../../lib/base/http-lines.ts'
import { eventually } from '../support/eventually.ts'
import { freePort, serve } from '../support/serve.ts'

const LINE_BYTES_MAX = 1_000

/** An exchange, and what became of it. */
class Exchange {
  readonly said: string[] = []
  readonly refusals: (readonly [number, string])[] = []
  readonly ends: OperationalError[] = []
  readonly lines: HttpLines

  constructor(url: string) {
    const client = new HttpClient()
    const sent = client.begin({ url, method: 'POST', headers: new Map([['content-length', '1000000']]) })
    this.lines = new HttpLines(sent, new URL(url), LINE_BYTES_MAX, {
      line: line => this.said.push(line),
      refused: (status, body) => this.refusals.push([status, body.toString()]),
      ended: error => this.ends.push(error),
    })
    onTestFinished(() => {
      this.lines.close()
      client.close()
    })
  }

  static async with(listener: RequestListener): Promise<Exchange> {
    return new Exchange((await serve(listener)).url)
  }
}

test('lines go both ways at the same time', async () => {
  const exchange = await Exchange.with((request, response) => {
    request.on('data', (chunk: Buffer) => response.write(`${chunk.toString().trim()}!\n`))
  })
  exchange.lines.send('one')
  await eventually(() => expect(exchange.said).toEqual(['one!']))
  exchange.lines.send('two')
  await eventually(() => expect(exchange.said).toEqual(['one!', 'two!']))
  expect(exchange.ends).toEqual([])
})

test('a line is whole however it comes, and an empty one is none', async () => {
  const exchange = await Exchange.with((_request, response) => {
    const bytes = Buffer.from('grün\n\n\nblau\nge')
    for (const byte of bytes) response.write(Buffer.of(byte))
    response.write('lb\nrot')
  })
  exchange.lines.send('go')
  await eventually(() => expect(exchange.said).toEqual(['grün', 'blau', 'gelb']))
})

test('a line that is too long ends the exchange', async () => {
  const exchange = await Exchange.with((_request, response) => response.write('x'.repeat(LINE_BYTES_MAX + 1)))
  exchange.lines.send('go')
  await eventually(() => expect(exchange.ends).toMatchObject([{ code: 'invalid-data' }]))
})

test('a status that is not 200 is a refusal, with what was said', async () => {
  const exchange = await Exchange.with((_request, response) => {
    response.statusCode = 401
    response.end('who are you?\n')
  })
  exchange.lines.send('go')
  await eventually(() => expect(exchange.refusals).toEqual([[401, 'who are you?\n']]))
  expect(exchange.said).toEqual([])
  expect(exchange.ends).toEqual([])
})

test.each(['end', 'destroy'] as const)('the %s of the response ends the exchange, once', async how => {
  const exchange = await Exchange.with((_request, response) => {
    response.write('hello\n', () => response[how]())
  })
  exchange.lines.send('go')
  await eventually(() => expect(exchange.ends).toMatchObject([{ code: 'unavailable' }]))
  expect(exchange.said).toEqual(['hello'])
})

test('nobody who listens ends the exchange', async () => {
  const exchange = new Exchange(`http://127.0.0.1:${await freePort()}`)
  exchange.lines.send('go')
  await eventually(() => expect(exchange.ends).toMatchObject([{ code: 'unavailable' }]))
  expect(exchange.ends[0]?.message).toContain('ECONNREFUSED')
})

test('after close() nothing is told and nothing is sent', async () => {
  const heard: string[] = []
  const exchange = await Exchange.with((request, response) => {
    request.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
    request.on('error', () => {})
    response.write('hello\n')
  })
  exchange.lines.send('go')
  await eventually(() => expect(exchange.said).toEqual(['hello']))
  exchange.lines.close()
  exchange.lines.close()
  exchange.lines.send('more')
  await new Promise(resolve => setImmediate(resolve))
  expect(exchange.ends).toEqual([])
  expect(heard.join('')).toBe('go\n')
})
