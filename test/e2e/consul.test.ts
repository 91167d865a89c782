import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConsulServer, onConsul, whyNoConsul } from '../support/consul-server.ts'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { serve } from '../support/serve.ts'

const TEMPLATE = `url = {{ key "app/url" }}
{{ range service "web" }}{{ .ID }} {{ .Address }}:{{ .Port }}
{{ end }}{{ range ls "app/flags" }}{{ .Key }}={{ .Value }}
{{ end }}`

describe(`the program with Consul ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 120_000 }, () => {
  test('publishes what Consul has, each change of it, and keeps it while Consul is away', async () => {
    const server = await ConsulServer.start(scratch({ inMemory: true }), { persistent: true })
    onTestFinished(() => server.kill())
    const root = scratch()
    const notices: string[] = []
    const hook = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => notices.push(text))
      response.end()
    })
    mkdirSync(join(root, 'cwd'))
    const config = join(root, 'outrigger.yaml')
    writeFileSync(join(root, 'app.tmpl'), TEMPLATE)
    writeFileSync(
      config,
      JSON.stringify({
        providers: { consul: { type: 'consul', wait: '1s', timeout: '1s' } },
        bundles: {
          app: {
            volume: join(root, 'volume'),
            files: [{ path: 'app.conf', template: './app.tmpl' }],
            hooks: [{ http: `${hook.url}/reload` }],
            settle: { quiet: '0s', longest: '1s' },
          },
        },
        state: join(root, 'state'),
      }),
    )
    const environment = { CONSUL_HTTP_ADDR: server.url }
    const shown = () => readFileSync(join(root, 'volume', 'app.conf'), 'utf8')

    const waiting = await runBuilt(['once', '-c', config, '--timeout', '1s'], { environment })
    expect(waiting.code).toBe(3)
    expect(waiting.stderr).toContain('app/url')

    await server.client.put('app/url', 'db:1')
    await server.client.register({ Name: 'web', ID: 'w1', Port: 80, Address: '10.0.0.1' })
    const { child, stderr, ended } = startBuilt(['run', '-c', config], { directory: join(root, 'cwd'), environment })
    await eventually(() => expect(shown()).toBe('url = db:1\nw1 10.0.0.1:80\n'))
    await server.client.put('app/flags/beta', 'on')
    await eventually(() => expect(shown()).toBe('url = db:1\nw1 10.0.0.1:80\nbeta=on\n'))

    await server.kill()
    await eventually(() => expect(stderr()).toContain('cannot read'))
    expect(shown()).toContain('db:1')
    // What was read is kept for a restart, a while after it was read.
    await eventually(
      async () => {
        const away = await runBuilt(['render', '-c', config, '--timeout', '5s', '--reveal'], { environment })
        expect(away.stdout).toContain('url = db:1')
      },
      { withinMs: 30_000 },
    )
    await server.resume()
    await server.client.put('app/url', 'db:2')
    await eventually(() => expect(shown()).toContain('url = db:2\n'), { withinMs: 20_000 })
    await eventually(() => expect(notices.length).toBeGreaterThan(2))

    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toContain('db:2')
  })
})
