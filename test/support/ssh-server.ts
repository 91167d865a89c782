import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { scratch } from './scratch.ts'

/** Where sshd is; `SSHD` says so for one that is not installed (with its libraries in `LD_LIBRARY_PATH`). */
const sshd = [process.env.SSHD, '/usr/sbin/sshd', '/usr/bin/sshd'].find(path => path !== undefined && existsSync(path))

/** Why no ssh server can be started here, or undefined. */
export function whyNoSshServer(): string | undefined {
  if (sshd === undefined) return 'needs sshd: install openssh-server'
  if (process.getuid?.() !== 0) return undefined
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'needs a mount namespace of its own: run as a plain user, or with the right to unshare'
  }
}

/** As root, sshd wants a user of its own and a directory in /run: both are given to it in a mount namespace that ends with it. */
const AS_ROOT = `
  mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || exit 1
  if ! getent passwd sshd >/dev/null; then
    { cat /etc/passwd; echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'; } > "$1/passwd"
    mount --bind "$1/passwd" /etc/passwd || exit 1
  fi
  exec "$2" -D -e -f "$1/sshd_config"`

/** sshd on a loopback port, for one key and whoever runs the tests. */
export class SshServer {
  readonly port: number
  /** The path of the private key that is let in. */
  readonly key: string
  /** The path of the list with this server's host key. */
  readonly knownHosts: string
  readonly #child: ChildProcess

  private constructor(directory: string, port: number, child: ChildProcess) {
    this.port = port
    this.key = join(directory, 'key')
    this.knownHosts = join(directory, 'known hosts')
    this.#child = child
  }

  static async start(): Promise<SshServer> {
    const directory = scratch()
    for (const name of ['host', 'key']) newKey(join(directory, name))
    const port = await freePort()
    const config = [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${directory}/host`,
      `AuthorizedKeysFile ${directory}/key.pub`,
      'PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL',
    ]
    await writeFile(join(directory, 'sshd_config'), `${config.join('\n')}\n`)
    const hostKey = await readFile(join(directory, 'host.pub'), 'utf8')
    await writeFile(join(directory, 'known hosts'), `[127.0.0.1]:${port} ${hostKey}`)
    const [program, args] =
      process.getuid?.() === 0
        ? ['unshare', ['--mount', 'sh', '-c', AS_ROOT, 'sh', directory, sshd ?? '']]
        : [sshd ?? '', ['-D', '-e', '-f', join(directory, 'sshd_config')]]
    const child = spawn(program, args, { stdio: 'ignore' })
    const server = new SshServer(directory, port, child)
    await eventually(() => reachable(port))
    return server
  }

  /** The URL of a repository on this machine. */
  url(path: string): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}${path}`
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}

/** Makes a key pair, `path` and `path.pub`. */
export function newKey(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
}

function reachable(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', reject)
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}
