import { fromBytes } from '../../lib/base/text.ts'
import type { OutputFile } from '../../lib/generation.ts'
import { explainFile } from '../../lib/render/explain.ts'
import type { RendererOptions } from '../../lib/render/options.ts'
import type { View } from '../../lib/render/question.ts'
import { ExitCode } from '../exit-code.ts'
import { maskedContent } from '../explanation.ts'
import type { CommonOptions } from '../options.ts'
import { contentsOf, openPreview } from '../preview.ts'
import { readConfig, withLog } from '../setup.ts'
import { rendererOptions } from '../sources.ts'
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
  try {
    const all = options.reveal ? [] : await rendererOptions(config, names, new Uint8Array(), appWorld)
    const deadlineMs = world.clock.monotonicMs() + (options.timeoutMs || Number.POSITIVE_INFINITY)
    for (const preview of previews.bundles) {
      const contents = await contentsOf(preview, deadlineMs, appWorld, over.signal)
      if (typeof contents === 'number') return contents
      // In the same turn, so from the same readings.
      const renderer = all.find(({ bundle }) => bundle.name === preview.name)
      const code = print(preview.name, contents.files, file => masked(file, renderer, preview.inputs))
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

  /** What is sensitive is masked by where it comes from; what else is known to be secret, by what it is. */
  function masked(
    { path, content }: OutputFile,
    renderer: RendererOptions | undefined,
    view: View,
  ): Uint8Array | string {
    if (renderer === undefined) return content
    const explanation = explainFile(renderer, path, view)
    return redactor.redact(fromBytes(explanation === undefined ? content : maskedContent(explanation)))
  }

  function print(
    bundle: string,
    files: readonly OutputFile[],
    shown: (file: OutputFile) => Uint8Array | string,
  ): number {
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
      terminal.out(shown(file))
      return ExitCode.done
    }
    for (const file of files) {
      terminal.out(`==> ${bundle}: ${file.path} (${file.mode.toString(8).padStart(4, '0')})\n`)
      terminal.out(shown(file))
      terminal.out('\n')
    }
    return ExitCode.done
  }
}
