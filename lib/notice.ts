/** The message that a hook carries to the application. */
export interface Notice {
  readonly bundle: string
  readonly generation: number
  readonly digest: string
  /** The paths that differ from what was visible before, sorted: added, changed and removed. */
  readonly changed: readonly string[]
  /** The generation's own directory, absolute: pin this to read files that belong together. */
  readonly directory: string
  /** Set on a rollback: the number of the generation whose contents are shown again. */
  readonly restores?: number
}
