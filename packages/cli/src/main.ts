// The program `heddle`: bin/heddle starts it on the right Node.js.
import { flushCompileCache } from 'node:module';
import { renderError } from './cli-error.ts';
import { runHeddle } from './app.ts';
import { ExitCode } from './exit-code.ts';

const debug = process.env['HEDDLE_DEBUG'] === '1';

// `heddle get … | head` closes the pipe before we are through: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? ExitCode.ok : ExitCode.failed);
});
process.on('uncaughtException', (error) => {
  process.stderr.write(renderError(error, debug));
  process.exit(ExitCode.failed);
});

process.exitCode = await runHeddle(process.argv.slice(2));
// Written now because a process that a signal ends later would not.
flushCompileCache();
