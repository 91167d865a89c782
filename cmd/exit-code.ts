/** The exit codes, which are part of the contract: scripts and init containers act on them. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Still waiting at the deadline. */
  waiting: 3,
  /** Rejected by a check, or rolled back. */
  rejected: 4,
} as const
