import type { ClientRequest, IncomingMessage } from 'node:http'
import { OperationalError } from './errors.ts'
import { addressOf, connectionError } from './http.ts'

/** What becomes of an exchange: any number of lines, then one of the others, once. Nothing comes after `close()`. */
export interface LinesEvents {
  /** A whole line of the response, without its line break. */
  line(line: string): void
  /** The server answered with another status than 200; with the start of its answer. */
  refused(status: number, body: Buffer): void
  /** It ended, whoever ended it. */
  ended(error: OperationalError): void
}

/** How much is taken of an answer that refuses. */
const REFUSAL_BYTES_MAX = 64 * 1024
const LINE_BREAK = 0x0a

/** An exchange that stays open: lines go out in the request's body while lines come back in its response. */
export class HttpLines {
  readonly #sent: ClientRequest
  readonly #where: string
  readonly #events: LinesEvents
  readonly #lineBytesMax: number
  /** The start of a line whose end has not come. */
  #parts: Buffer[] = []
  #bytes = 0
  #over = false

  /** @param sent as `HttpClient.begin` gives it @param url for messages */
  constructor(sent: ClientRequest, url: URL, lineBytesMax: number, events: LinesEvents) {
    this.#sent = sent
    this.#where = addressOf(url)
    this.#events = events
    this.#lineBytesMax = lineBytesMax
    sent.on('error', error => this.#end(connectionError(url, {}, error)))
    sent.on('response', response => {
      response.on('error', error => this.#end(connectionError(url, {}, error)))
      response.on('close', () => this.#end(this.#error('unavailable', 'the connection was closed')))
      if (response.statusCode === 200) response.on('data', (chunk: Buffer) => this.#take(chunk))
      else this.#refuse(response)
    })
  }

  /** Sends a line, or keeps it until there is a connection. */
  send(line: string): void {
    if (!this.#over) this.#sent.write(`${line}\n`)
  }

  /** Ends the exchange and its connection. May be called again. */
  close(): void {
    this.#over = true
    this.#parts = []
    this.#sent.destroy()
  }

  #take(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(LINE_BREAK); end >= 0; end = chunk.indexOf(LINE_BREAK, start)) {
      this.#keep(chunk.subarray(start, end))
      start = end + 1
      const line = Buffer.concat(this.#parts).toString('utf8')
      this.#parts = []
      this.#bytes = 0
      if (this.#over) return
      if (line !== '') this.#events.line(line)
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  #keep(part: Buffer): void {
    this.#parts.push(part)
    this.#bytes += part.length
    if (this.#bytes <= this.#lineBytesMax) return
    this.#end(this.#error('invalid-data', `a line of more than ${this.#lineBytesMax} bytes`))
  }

  #refuse(response: IncomingMessage): void {
    const { statusCode = 0 } = response
    const refuse = () => {
      if (this.#over) return
      const body = Buffer.concat(this.#parts)
      this.close()
      this.#events.refused(statusCode, body)
    }
    response.on('data', (chunk: Buffer) => {
      this.#parts.push(chunk)
      this.#bytes += chunk.length
      if (this.#bytes > REFUSAL_BYTES_MAX) refuse()
    })
    response.on('end', refuse)
  }

  #error(code: 'unavailable' | 'invalid-data', what: string): OperationalError {
    return new OperationalError(code, `${this.#where}: ${what}`)
  }

  #end(error: OperationalError): void {
    if (this.#over) return
    this.close()
    this.#events.ended(error)
  }
}
