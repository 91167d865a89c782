// The application of the quick start: it serves what its configuration says, and reads it again when it is told to.
//
//     node application.ts VOLUME PORT
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'

interface Config {
  readonly greeting: string
  readonly workers: number
}

/** The message of Outrigger's hook, as far as it is used here. */
interface Notice {
  readonly generation: number
  readonly changed: readonly string[]
  readonly directory: string
}

const [, , volume = '', port = ''] = process.argv
let config = await readConfig(volume)

createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/-/reload') void reload(request, response)
  else response.end(`${config.greeting} (${config.workers} workers)`)
}).listen(Number(port), '127.0.0.1')

process.on('disconnect', () => process.exit(0))

async function reload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const notice = JSON.parse(await bodyOf(request)) as Notice
  // Read from the generation's own directory, so that several files would belong together whatever is published meanwhile.
  config = await readConfig(notice.directory)
  response.writeHead(204).end()
  process.send?.(notice)
}

async function readConfig(directory: string): Promise<Config> {
  return JSON.parse(await readFile(join(directory, 'app.json'), 'utf8')) as Config
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
