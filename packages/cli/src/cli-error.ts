import { styleText } from 'node:util';
import { HeddleError } from '@heddle/base';
import { ExitCode } from './exit-code.ts';
import { visible } from './output/visible.ts';

interface CliErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  readonly exitCode?: number;
  readonly cause?: unknown;
}

/** A failure as the command line shows it: one sentence, what to do, and the exit code. */
export class CliError extends HeddleError {
  readonly hint: string;
  readonly exitCode: number;

  constructor(code: string, message: string, options: CliErrorOptions = {}) {
    super(code, message, options);
    this.hint = options.hint ?? '';
    this.exitCode = options.exitCode ?? ExitCode.failed;
  }
}

/** The command line is wrong: exit code 2. */
export function usageError(message: string, hint = ''): CliError {
  return new CliError('HEDDLE_USAGE', message, { hint, exitCode: ExitCode.usage });
}

/** Line by line, as some messages have several. */
function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** Everything the user gets to know about a failure. Stack traces only with HEDDLE_DEBUG=1. */
export function renderError(error: unknown, debug: boolean): string {
  const label = (text: string): string => styleText(['red', 'bold'], text, { stream: process.stderr });
  const dim = (text: string): string => styleText('dim', text, { stream: process.stderr });
  const lines: string[] = [];
  if (error instanceof HeddleError) {
    const code = error.code === 'HEDDLE_USAGE' ? '' : ` ${dim(`(${error.code})`)}`;
    lines.push(`${label('error:')} ${visibleLines(error.message)}${code}`);
    if (error instanceof CliError && error.hint !== '')
      lines.push(`${dim('hint:')} ${visibleLines(error.hint)}`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    lines.push(`${label('error:')} unexpected failure: ${visibleLines(message)}`);
    if (!debug) lines.push(`${dim('hint:')} HEDDLE_DEBUG=1 shows where; it is a bug worth reporting`);
  }
  if (debug) {
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      lines.push(cause.stack ?? String(cause));
  }
  return `${lines.join('\n')}\n`;
}

/** The exit code that belongs to a failure. */
export function exitCodeOf(error: unknown): number {
  return error instanceof CliError ? error.exitCode : ExitCode.failed;
}
