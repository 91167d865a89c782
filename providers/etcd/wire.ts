/** The messages of etcd's JSON gateway, as far as they matter here. It leaves out what is zero, spells int64 as strings, and
 *  bytes as base64. */

export interface Header {
  readonly revision?: string
}

export interface KeyValue {
  readonly key?: string
  readonly value?: string
  readonly create_revision?: string
  readonly mod_revision?: string
  readonly version?: string
  readonly lease?: string
}

/** Of `/v3/kv/range`. */
export interface RangeResponse {
  readonly header?: Header
  readonly kvs?: readonly KeyValue[]
  readonly more?: boolean
  readonly count?: string
}

export interface Event {
  /** A put leaves it out. */
  readonly type?: 'DELETE' | 'PUT'
  readonly kv?: KeyValue
}

/** One line of `/v3/watch`. */
export interface WatchLine {
  readonly result?: WatchResponse
  readonly error?: ErrorBody
}

export interface WatchResponse {
  readonly watch_id?: string
  readonly created?: boolean
  readonly canceled?: boolean
  readonly compact_revision?: string
  readonly cancel_reason?: string
  /** More of the same revision follows. */
  readonly fragment?: boolean
  readonly events?: readonly Event[]
}

/** Of an answer that is no 200, and at the end of a stream; etcd 3.4 and 3.5 name the parts differently. */
export interface ErrorBody {
  readonly code?: number
  readonly grpc_code?: number
  readonly message?: string
  readonly error?: string
}

/** What a text holds, or undefined when it is no JSON object. */
export function parseMessage(text: string): object | undefined {
  try {
    const parsed = JSON.parse(text) as unknown
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

/** An int64. Revisions are counted from one, so none comes near to where a number is not exact any more. */
export function integer(text: string | undefined): number {
  return text === undefined ? 0 : Number(text)
}

export function bytesOf(base64: string | undefined): Buffer {
  return base64 === undefined ? Buffer.alloc(0) : Buffer.from(base64, 'base64')
}
