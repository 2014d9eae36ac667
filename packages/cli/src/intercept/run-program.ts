import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemErrorCode } from '@heddle/base';
import { CliError } from '../cli-error.ts';

export interface ProgramOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the system to its end; null where it is not installed. */
export type RunProgram = (
  program: string,
  words: readonly string[],
  input?: string,
) => Promise<ProgramOutcome | null>;

/** Where administrators' programs are, whatever a user's PATH says. */
const systemPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;

export const runSystemProgram: RunProgram = async (program, words, input = '') => {
  const child = spawn(program, words, {
    // Messages and outputs are read.
    env: { ...process.env, PATH: systemPath, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // It may end without having read everything.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { exitCode: code ?? 1, stdout, stderr };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
};

/** Debian's package of each program, for hints. */
const packageOf: Readonly<Record<string, string>> = { ip: 'iproute2', nft: 'nftables' };

/** Runs a program and fails with what it says. */
export async function mustRun(
  run: RunProgram,
  program: string,
  words: readonly string[],
  input = '',
): Promise<ProgramOutcome> {
  const outcome = await run(program, words, input);
  if (outcome === null) {
    throw new CliError('HEDDLE_INTERCEPT_NO_PROGRAM', `${program} is not installed`, {
      hint: `install it (Debian: apt-get install ${packageOf[program] ?? 'iptables'})`,
    });
  }
  if (outcome.exitCode !== 0) {
    const said = outcome.stderr.trim().split('\n').slice(0, 3).join('; ');
    throw new CliError(
      'HEDDLE_INTERCEPT_FAILED',
      `${program} failed: ${said || `exit code ${outcome.exitCode}`}`,
    );
  }
  return outcome;
}
