/** What starts this program anew, perhaps in another version by now: a program and the arguments before its own. */
export function ownProgram(): readonly [program: string, ...words: string[]] {
  const launcher = process.env['HEDDLE_LAUNCHER'];
  return launcher === undefined ? [process.execPath, ...process.execArgv, process.argv[1] ?? ''] : [launcher];
}
