import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseDurationMs } from '../../lib/base/duration.ts'
import { eventually } from '../support/eventually.ts'
import { builtProgram, runBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { serve } from '../support/serve.ts'
import { readConfig, readExample, rehome } from './example.ts'

const unit = readUnit(readExample('systemd', 'outrigger.service'))
const config = readConfig('systemd')
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

describe('the unit', () => {
  test('runs the program with the configuration that the README installs', () => {
    expect(unit.get('ExecStart')).toEqual(['/usr/local/bin/outrigger run'])
    expect(unit.get('Environment')).toContain('OUTRIGGER_CONFIG=/etc/outrigger/outrigger.yaml')
    const readme = readExample('systemd', 'README.md')
    expect(readme).toContain('dist/outrigger.js /usr/local/bin/outrigger')
    expect(readme).toContain('outrigger.yaml haproxy.cfg.tmpl /etc/outrigger/')
    expect(config.providers['values']?.['path']).toBe('/etc/outrigger/values')
  })

  test('may write where the configuration writes, and keeps what is published', () => {
    const haproxy = config.bundles['haproxy']

    expect(unit.get('ProtectSystem')).toEqual(['strict'])
    expect(`/var/lib/${unit.get('StateDirectory')?.[0]}`).toBe(config.state)
    expect(`/run/${unit.get('RuntimeDirectory')?.[0]}`).toBe(haproxy?.volume)
    expect(unit.get('RuntimeDirectoryPreserve')).toEqual(['yes'])
    expect(readExample('systemd', 'haproxy.service.d/outrigger.conf')).toContain(
      `CONFIG=${haproxy?.volume}/haproxy.cfg\n`,
    )
  })

  test('has the one right that it needs for a signal to another user, and the group that it gives files to', () => {
    expect(unit.get('AmbientCapabilities')).toEqual(['CAP_KILL'])
    expect(unit.get('CapabilityBoundingSet')).toEqual(['CAP_KILL'])
    expect(unit.get('NoNewPrivileges')).toEqual(['yes'])
    const groups = config.bundles['haproxy']?.files.map(({ group }) => group)
    expect(unit.get('SupplementaryGroups')).toEqual(groups)
  })

  test('waits longer than its first once does, and gives up on a wrong configuration only', () => {
    const [first = ''] = unit.get('ExecStartPre') ?? []
    const [, timeout = ''] = /^-\/usr\/local\/bin\/outrigger once --no-hooks --timeout (\S+)$/.exec(first) ?? []

    const startMs = parseDurationMs(unit.get('TimeoutStartSec')?.[0] ?? '')
    expect(startMs).toBeGreaterThan(parseDurationMs(timeout) ?? Number.POSITIVE_INFINITY)
    expect(unit.get('RestartPreventExitStatus')).toEqual(['2'])
  })

  test('gives Node options that it takes', () => {
    const [, options = ''] = /NODE_OPTIONS="(.*)"/.exec(readExample('systemd', 'outrigger.service')) ?? []

    const env = { PATH: process.env.PATH, NODE_OPTIONS: options }
    const { status, stderr } = spawnSync(process.execPath, [builtProgram(), '--version'], { env })
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
    expect(options).toContain('--max-old-space-size=64')
  })

  test.runIf(hasSystemd)('is one that systemd understands, and rates as little exposed', () => {
    const path = join(scratch(), 'outrigger.service')
    writeFileSync(path, readExample('systemd', 'outrigger.service').replaceAll('/usr/local/bin/outrigger', '/bin/true'))

    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
    const ours = verified.stderr.split('\n').filter(line => line.includes('outrigger.service'))
    expect(ours).toEqual([])
    const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=30', path], {
      encoding: 'utf8',
    })
    expect({ status: rated.status, verdict: rated.stdout.split('\n').at(-2) }).toMatchObject({ status: 0 })
  })
})

test('the configuration of the unit is valid, where there is the group of HAProxy', async () => {
  const { code, stderr } = await runBuilt(['validate', '-c', rehome('systemd', scratch(), { ', group: haproxy': '' })])

  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('is valid') })
})

test('the unit publishes what HAProxy has checked, and tells the process of its pid file', async () => {
  const directory = scratch()
  const told = join(directory, 'told')
  const pidFile = join(directory, 'haproxy.pid')
  await startMaster(pidFile, told)
  const { port } = await serve((request, response) => response.writeHead(request.url === '/healthz' ? 200 : 404).end())
  const path = configIn(directory, { '/run/haproxy.pid': pidFile, '127.0.0.1:8404': `127.0.0.1:${port}` })

  const { code, stderr } = await runBuilt(['once', '-c', path, '--timeout', '30s'], withHaproxy(directory))

  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(existsSync(told)).toBe(true)
  const shown = readFileSync(join(directory, 'run', 'haproxy.cfg'), 'utf8')
  expect(shown).toContain('maxconn 1000\n')
  expect(shown).toContain('    server web0 192.0.2.10:8080 check\n    server web1 192.0.2.11:8080 check\n')
})

test('the unit publishes nothing that HAProxy refuses', async () => {
  const directory = scratch()
  const path = configIn(directory, {})
  writeFileSync(join(directory, 'values', 'web.yaml'), 'maxConnections: 10\nservers: ["nowhere at all"]\n')

  const { code, stderr } = await runBuilt(
    ['once', '-c', path, '--no-hooks', '--timeout', '30s'],
    withHaproxy(directory),
  )

  expect(code).toBe(4)
  expect(stderr).toContain("unknown keyword 'at'")
  expect(existsSync(join(directory, 'run', 'haproxy.cfg'))).toBe(false)
})

/** The settings of a unit file, each with its values in their order. */
function readUnit(text: string): ReadonlyMap<string, readonly string[]> {
  const settings = [...text.matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, name = '', value = '']) => ({ name, value }))
  return new Map(
    [...Map.groupBy(settings, ({ name }) => name)].map(([name, all]) => [name, all.map(({ value }) => value)]),
  )
}

/** The configuration with its paths in a directory, and the values that the example has. */
function configIn(directory: string, replacements: Readonly<Record<string, string>>): string {
  mkdirSync(join(directory, 'values'))
  writeFileSync(join(directory, 'values', 'web.yaml'), readExample('systemd', 'web.yaml'))
  return rehome('systemd', directory, {
    '/etc/outrigger/values': join(directory, 'values'),
    'volume: /run/outrigger-haproxy': `volume: ${join(directory, 'run')}`,
    'state: /var/lib/outrigger': `state: ${join(directory, 'state')}`,
    ', group: haproxy': '',
    'for: 10s': 'for: 1s, every: 100ms',
    ...replacements,
  })
}

/** A PATH that begins with a stand-in for HAProxy, which knows one mistake and says what HAProxy 2.6 says of it. */
function withHaproxy(directory: string) {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const script = `#!/bin/sh
[ "$1 $2" = "-c -f" ] || exit 64
if grep -q '^    server web[0-9]* nowhere at all check$' "$3"; then
  echo "[ALERT] config : parsing [$3:21] : 'server web0' : unknown keyword 'at'." >&2
  exit 1
fi
`
  writeFileSync(join(bin, 'haproxy'), script)
  chmodSync(join(bin, 'haproxy'), 0o755)
  return { environment: { PATH: `${bin}:${process.env.PATH}` } }
}

/** Starts something that writes down its id and when it gets SIGUSR2, as HAProxy's master would reload. */
async function startMaster(pidFile: string, told: string): Promise<void> {
  const script = `
    const { writeFileSync } = require('node:fs')
    process.on('SIGUSR2', () => writeFileSync(process.argv[2], 'told'))
    setInterval(() => {}, 1000)
    writeFileSync(process.argv[1], process.pid + '\\n')`
  const child = spawn(process.execPath, ['-e', script, pidFile, told], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await eventually(() => expect(readFileSync(pidFile, 'utf8')).toBe(`${child.pid}\n`))
}
