import { join } from 'node:path'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import { silentLog } from '../../lib/base/log.ts'
import { Mailbox } from '../../lib/base/mailbox.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Verdict } from '../../lib/gate/verdict.ts'
import { digestOf, type OutputFile } from '../../lib/generation.ts'
import type { Notice } from '../../lib/notice.ts'
import type { Hook } from '../../lib/notify/hook.ts'
import { Notifier } from '../../lib/notify/notifier.ts'
import { filesPublisher } from '../../lib/publish/files.ts'
import { changedPaths, type Publisher } from '../../lib/publish/publisher.ts'
import { volumePublisher } from '../../lib/publish/volume.ts'
import type { Rendered } from '../../lib/render/renderer.ts'
import { openJournal, type Journal } from '../../lib/state/journal.ts'
import type { Inputs } from '../../lib/sync/parts.ts'
import { Reconciler } from '../../lib/sync/reconciler.ts'
import type { Standing } from '../../lib/sync/standing.ts'
import { settled, type FakeClock } from './fake-clock.ts'

export type Mode = 'volume' | 'files'

export interface BundleSetup {
  readonly mode: Mode
  readonly fileSystem: FileSystem
  /** Holds `state`, and `volume` or `etc`. */
  readonly root: string
  readonly clock: FakeClock
  /** What is asked for at the start: a content, or nothing yet. */
  readonly content?: string
  /** What is rendered first, from readings that were only kept from before a restart. */
  readonly kept?: string
  readonly hooks?: Readonly<Record<string, (notice: Notice) => Promise<void>>>
  readonly check?: (directory: string) => Promise<Verdict>
  readonly probe?: () => Promise<Verdict>
  readonly files?: (content: string) => readonly OutputFile[]
  readonly keepAgeMs?: number
  /** Real inputs in the place of the test's own, and what is rendered from them. */
  readonly source?: { readonly inputs: Inputs; readonly render: () => Rendered }
  /** Is told when a delivery has been recorded. */
  readonly onDelivered?: (generation: number, hook: string) => void
}

/** One bundle at work, with every part real but the inputs, the rendering and the application. */
export class TestBundle {
  standing: Standing | undefined
  readonly outcomes: string[] = []
  readonly publisher: Publisher
  readonly journal: Journal
  readonly #inputs: TestInputs
  readonly #notifier: Notifier
  readonly #abort = new AbortController()
  readonly #clock: FakeClock
  readonly #running: Promise<void>

  /** Rejects as the file system does. */
  static async start(setup: BundleSetup): Promise<TestBundle> {
    const { fileSystem, clock, root, mode, keepAgeMs = 0 } = setup
    const state = join(root, 'state')
    await fileSystem.makeDirectories(state, 0o700)
    await fileSystem.syncDirectory(root)
    const host = { fileSystem, clock, keepAgeMs }
    const publisher = mode === 'volume' ? volumePublisher(join(root, 'volume'), host) : filesPublisher(state, host)
    const generations = () => publisher.generations()
    const journal = await openJournal(join(state, 'journal'), { fileSystem, clock, generations })
    return new TestBundle(setup, publisher, journal)
  }

  private constructor(setup: BundleSetup, publisher: Publisher, journal: Journal) {
    const { clock, hooks = {}, check, probe, source } = setup
    this.publisher = publisher
    this.journal = journal
    this.#clock = clock
    this.#inputs = new TestInputs(setup.kept ?? setup.content, setup.kept !== undefined)
    const host = { clock, random: () => 0.5, log: silentLog }
    this.#notifier = new Notifier({
      hooks: Object.entries(hooks).map(([id, tell]): Hook => ({ id, tell })),
      async delivered(generation, hook) {
        await journal.append({ kind: 'delivered', generation, hook })
        setup.onDelivered?.(generation, hook)
      },
      ...host,
    })
    const reconciler = new Reconciler(
      {
        bundle: 'web',
        settle: { quietMs: 100, longestMs: 1_000 },
        keep: 2,
        hooks: Object.keys(hooks),
        inputs: source?.inputs ?? this.#inputs,
        renderer: { render: source?.render ?? (() => rendered(this.#inputs, setup)) },
        publisher,
        hold: async () => {},
        journal,
        notifier: this.#notifier,
        check: async directory => (await check?.(directory)) ?? { ok: true },
        probe,
        changedPaths,
        digestOf: testDigest,
        ...host,
      },
      standing => {
        const kind = standing.outcome?.kind
        if (kind !== undefined && standing.outcome !== this.standing?.outcome) this.outcomes.push(kind)
        this.standing = standing
      },
    )
    this.#running = reconciler.run(this.#abort.signal)
  }

  /** Asks for another content. */
  set(content: string | undefined): void {
    this.#inputs.content = content
    this.#inputs.changed.put(undefined)
  }

  /** Moves time on until `condition` holds; throws when that takes more than `withinMs` of it. */
  async until(condition: (standing: Standing | undefined) => boolean, withinMs = 600_000): Promise<void> {
    const deadline = this.#clock.monotonicMs() + withinMs
    await settled()
    while (!condition(this.standing)) {
      if (this.#clock.monotonicMs() > deadline)
        throw new Error(`not so within ${withinMs} ms: ${JSON.stringify(this.standing)}`)
      await this.#clock.advance(50)
    }
  }

  /** Resolves when a generation is visible and confirmed, and its contents are these. */
  async confirmed(content: string): Promise<void> {
    await this.until(() => this.standing?.confirmed === true && this.#shows(content))
  }

  /** What the reconciler said of leases, in order. */
  get saidOfLeases(): readonly string[] {
    return this.#inputs.said
  }

  /** Whether first readings could wait or not, in the order in which that was said. */
  get pace(): readonly string[] {
    return this.#inputs.pace
  }

  get owed(): readonly string[] {
    return this.#notifier.owed().map(({ hook }) => hook)
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('the test stops it'))
    await this.#notifier.close()
    await this.#running
  }

  #shows(content: string): boolean {
    const outcome = this.standing?.outcome
    return (outcome?.kind === 'published' || outcome?.kind === 'unchanged') && this.#inputs.rendered === content
  }
}

class TestInputs {
  readonly changed = new Mailbox<undefined>()
  content: string | undefined
  /** What the last render was of. */
  rendered: string | undefined
  /** What was said of leases, in order. */
  readonly said: string[] = []
  readonly pace: string[] = []
  #isOnlyKept: boolean
  constructor(content: string | undefined, isOnlyKept: boolean) {
    this.content = content
    this.#isOnlyKept = isOnlyKept
  }
  want(): void {}
  get(): undefined {
    return undefined
  }
  why(): string {
    return 'the test has not said it'
  }
  settled(): boolean {
    return this.content !== undefined
  }
  leases(): ReadonlySet<string> {
    return new Set(this.content === undefined ? [] : [`lease of ${this.content}`])
  }
  unhurried(): void {
    this.pace.push('unhurried')
  }
  hurry(): boolean {
    if (!this.#isOnlyKept) return false
    this.pace.push('hurry')
    this.#isOnlyKept = false
    this.content = undefined
    return true
  }
  async publishing(leases: ReadonlySet<string>): Promise<void> {
    this.said.push(`publishing ${[...leases].join()}`)
  }
  confirmed(leases: ReadonlySet<string>): void {
    this.said.push(`confirmed ${[...leases].join()}`)
  }
}

const CONTENT: Dependency = { provider: 'test', kind: 'value', path: 'content', params: {} }

function rendered(inputs: TestInputs, { files = contentFiles }: BundleSetup): Rendered {
  const { content } = inputs
  inputs.rendered = content
  if (content === undefined) return { kind: 'incomplete', wanted: [CONTENT], missing: [CONTENT] }
  if (content === 'broken') return { kind: 'broken', wanted: [CONTENT], problem: { message: 'the template is broken' } }
  const all = files(content).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return {
    kind: 'complete',
    wanted: [CONTENT],
    contents: { bundle: 'web', files: all, digest: testDigest(all) },
    renders: 1,
  }
}

function contentFiles(content: string): readonly OutputFile[] {
  return [{ path: 'app.conf', content: Buffer.from(content), mode: 0o640 }]
}

/** The digest of contents, as the bundle's renderer would give it. */
export function testDigest(files: readonly OutputFile[]): string {
  return digestOf(files, Buffer.from('a key for tests'))
}
