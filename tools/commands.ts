// Running other programs from the repository's tools.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** A program of `node_modules/.bin`. */
export function tool(name: string): string {
  return join(root, 'node_modules/.bin', name);
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** The program is ended after this long. */
  readonly limitMs?: number;
  /** Is given what the program prints to standard output, which otherwise is ours. */
  readonly onOutput?: (text: string) => void;
}

/** How a program ended: its exit code, 1 where it was ended by a signal. */
export async function run(
  command: string,
  parameters: readonly string[],
  options: RunOptions = {},
): Promise<number> {
  const child = spawn(command, parameters, {
    cwd: options.directory ?? root,
    env: {
      ...process.env,
      ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
      ...options.environment,
    },
    stdio: ['inherit', options.onOutput === undefined ? 'inherit' : 'pipe', 'inherit'],
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => options.onOutput?.(text));
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const limit =
    options.limitMs === undefined
      ? null
      : setTimeout(() => {
          console.error(`${command} has run for ${options.limitMs! / 1000} s and is ended`);
          child.kill('SIGKILL');
        }, options.limitMs);
  try {
    return await new Promise<number>((resolve) => {
      child.once('error', (error) => {
        console.error(`${command} can't be started: ${error.message}`);
        resolve(1);
      });
      child.once('close', (code) => resolve(code ?? 1));
    });
  } finally {
    if (limit !== null) clearTimeout(limit);
    process.off('SIGINT', forward).off('SIGTERM', forward);
  }
}
