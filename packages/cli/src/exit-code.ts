/** How `heddle` ends. Listed in every command's help, so that scripts may rely on it. */
export const ExitCode = {
  ok: 0,
  /** The command was understood and failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /**
   * `heddle run`: Heddle failed, not the application, whose own codes are passed on. `docker run`, `env` and `timeout`
   * use the same three.
   */
  runFailed: 125,
  /** `heddle run`: the program was found and can't be executed. */
  notExecutable: 126,
  /** `heddle run`: there is no such program. */
  notFound: 127,
} as const;
