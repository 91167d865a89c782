import { execFile, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { scratch } from './scratch.ts'

/** What a commit puts at a path: a file's text or bytes, or something else that git can hold; `null` removes it. */
export type Put =
  | string
  | Uint8Array
  | { readonly executable: string }
  | { readonly link: string }
  | { readonly submodule: string }
  | null

/** A bare repository of this test's own. Commits are written by `git fast-import`, one process each. */
export class GitRepository {
  readonly path: string
  #time = 1_767_225_600

  private constructor(path: string) {
    this.path = path
  }

  static async make(
    options: { readonly in?: string; readonly format?: 'sha1' | 'sha256' } = {},
  ): Promise<GitRepository> {
    const path = join(options.in ?? scratch(), 'repository.git')
    const repository = new GitRepository(path)
    await git(['init', '--quiet', '--bare', '-b', 'main', `--object-format=${options.format ?? 'sha1'}`, path])
    return repository
  }

  get url(): string {
    return `file://${this.path}`
  }

  /** Commits changes on top of a branch, or an unrelated commit in its place (`force`); gives the hash. */
  async commit(
    files: Readonly<Record<string, Put>>,
    { branch = 'main', force = false }: { readonly branch?: string; readonly force?: boolean } = {},
  ): Promise<string> {
    const ref = `refs/heads/${branch}`
    const parent = force ? undefined : await this.hash(ref).catch(() => undefined)
    const parts = [
      Buffer.from(`commit ${ref}\nmark :1\ncommitter Test <test@example.org> ${this.#time++} +0000\ndata 2\nx\n`),
      Buffer.from(parent === undefined ? '' : `from ${parent}\n`),
      ...Object.entries(files).flatMap(([path, put]) => change(path, put)),
    ]
    await this.git(['fast-import', '--quiet', '--force'], Buffer.concat(parts))
    return await this.hash(ref)
  }

  /** Makes an annotated tag. */
  async tag(name: string, target = 'main'): Promise<void> {
    await this.git([
      '-c',
      'user.name=Test',
      '-c',
      'user.email=test@example.org',
      'tag',
      '-f',
      '-a',
      '-m',
      'x',
      name,
      target,
    ])
  }

  async hash(revision: string): Promise<string> {
    return (await this.git(['rev-parse', '--verify', '--quiet', revision])).toString().trim()
  }

  git(args: readonly string[], input?: Uint8Array): Promise<Buffer> {
    return git(['--git-dir', this.path, ...args], input)
  }
}

function change(path: string, put: Put): readonly Uint8Array[] {
  const quoted = `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
  if (put === null) return [Buffer.from(`D ${quoted}\n`)]
  if (typeof put === 'string') return inline('100644', quoted, Buffer.from(put))
  if (put instanceof Uint8Array) return inline('100644', quoted, put)
  if ('executable' in put) return inline('100755', quoted, Buffer.from(put.executable))
  if ('link' in put) return inline('120000', quoted, Buffer.from(put.link))
  return [Buffer.from(`M 160000 ${put.submodule} ${quoted}\n`)]
}

function inline(mode: string, path: string, content: Uint8Array): readonly Uint8Array[] {
  return [Buffer.from(`M ${mode} inline ${path}\ndata ${content.length}\n`), content, Buffer.from('\n')]
}

/** Runs git to its end, without the machine's configuration. */
export function git(args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  }
  return new Promise((resolve, reject) => {
    const child: ChildProcess = execFile(
      'git',
      [...args],
      { env: environment, encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${error.message}: ${stderr.toString()}`)),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
