import { serve } from './serve.ts'

/** What an engine of Vault asks of RabbitMQ's HTTP API, with the users that it has made: the one engine with renewable leases that needs
 *  no more than this. */
export interface RabbitMqApi {
  readonly url: string
  /** How many users were made so far. */
  made: number
  /** The names of those that are there. */
  readonly users: ReadonlySet<string>
}

export async function rabbitMqApi(): Promise<RabbitMqApi> {
  const users = new Set<string>()
  const { url } = await serve((request, response) => {
    const user = /^\/api\/users\/([^/]+)$/.exec(request.url ?? '')?.[1]
    request.resume()
    if (user !== undefined && request.method === 'PUT') {
      api.made++
      users.add(decodeURIComponent(user))
    }
    if (user !== undefined && request.method === 'DELETE') users.delete(decodeURIComponent(user))
    response.writeHead(request.method === 'PUT' ? 201 : 204).end()
  })
  const api: RabbitMqApi = { url, made: 0, users }
  return api
}
