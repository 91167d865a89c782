import { listed } from '../../lib/base/listed.ts'
import { fromBytes } from '../../lib/base/text.ts'
import type { OutputFile } from '../../lib/generation.ts'
import { Explainer } from '../../lib/render/explain.ts'
import { ExitCode } from '../exit-code.ts'
import { maskedContent } from '../explanation.ts'
import type { CommonOptions } from '../options.ts'
import { eachPreview } from '../preview.ts'
import { readConfig, withLog } from '../setup.ts'
import { sayProblem } from '../terminal.ts'
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
      `the configuration has ${listed([...config.bundles.keys()])}`,
    )
    return ExitCode.usage
  }
  const appWorld = await withLog(options, world, 'silent')
  const { terminal, redactor } = appWorld
  return eachPreview(config, names, options.timeoutMs, appWorld, ({ name, options: made, inputs }, { files }) => {
    const explainer = new Explainer(made, inputs)
    return print(name, files, file => (options.reveal ? file.content : masked(file, explainer)))
  })

  /** What is sensitive is masked by where it comes from; what else is known to be secret, by what it is. */
  function masked({ path, content }: OutputFile, explainer: Explainer): string {
    const explanation = explainer.explain(path)
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
        sayProblem(terminal, `bundle ${bundle} has no file "${path}"`, `it has ${listed(files.map(one => one.path))}`)
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
