import { fromBytes } from '../../lib/base/text.ts'
import type { OutputFile } from '../../lib/generation.ts'
import { withLog, readConfig } from '../setup.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommonOptions } from '../options.ts'
import { contentsOf, openPreview } from '../preview.ts'
import { sayError, sayProblem } from '../terminal.ts'
import type { World } from '../world.ts'

export interface RenderOptions extends CommonOptions {
  /** Only this bundle; every bundle without it. */
  readonly bundle: string | undefined
  /** Only this file of the bundle, printed as it is. */
  readonly path: string | undefined
  /** 0 waits for ever. */
  readonly timeoutMs: number
  /** Whether sensitive values are printed. */
  readonly reveal: boolean
}

/** Prints what would be published. Publishes nothing, tells nobody, keeps nothing. */
export async function render(options: RenderOptions, world: World): Promise<number> {
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const names = options.bundle === undefined ? [...config.bundles.keys()] : [options.bundle]
  if (!names.every(name => config.bundles.has(name))) {
    sayProblem(
      world.terminal,
      `no bundle is named "${names[0]}"`,
      `the configuration has ${[...config.bundles.keys()].join(', ')}`,
    )
    return ExitCode.usage
  }
  const appWorld = await withLog(options, world, 'silent')
  const { terminal, redactor } = appWorld
  const over = new AbortController()
  const stopListening = world.signals.on(['SIGTERM', 'SIGINT'], signal => over.abort(new Error(`got ${signal}`)))
  const previews = await openPreview(config, names, appWorld).catch((error: unknown) => {
    sayError(terminal, error)
    return undefined
  })
  if (previews === undefined) return ExitCode.usage
  const mask = options.reveal
    ? (content: Uint8Array) => content
    : (content: Uint8Array) => redactor.redact(fromBytes(content))
  try {
    const deadlineMs = world.clock.monotonicMs() + (options.timeoutMs || Number.POSITIVE_INFINITY)
    for (const preview of previews.bundles) {
      const contents = await contentsOf(preview, deadlineMs, appWorld, over.signal)
      if (typeof contents === 'number') return contents
      const code = print(preview.name, contents.files)
      if (code !== ExitCode.done) return code
    }
    return ExitCode.done
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    stopListening()
    await previews.close()
  }

  function print(bundle: string, files: readonly OutputFile[]): number {
    const { path } = options
    if (path !== undefined) {
      const file = files.find(one => one.path === path)
      if (file === undefined) {
        sayProblem(
          terminal,
          `bundle ${bundle} has no file "${path}"`,
          `it has ${files.map(one => one.path).join(', ')}`,
        )
        return ExitCode.usage
      }
      terminal.out(mask(file.content))
      return ExitCode.done
    }
    for (const file of files) {
      terminal.out(`==> ${bundle}: ${file.path} (${file.mode.toString(8).padStart(4, '0')})\n`)
      terminal.out(mask(file.content))
      terminal.out('\n')
    }
    return ExitCode.done
  }
}
