// Runs `heddle up` in a process of its own, which ends when this one does.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@heddle/base';
import { CliError } from '../cli-error.ts';
import { within } from '../supervisor/delay.ts';
import type { UpMessage } from '../up/up-message.ts';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));
const stopTimeoutMs = 5_000;

/** A control plane that serves. */
export interface ControlPlaneChild {
  readonly dashboardUrl: string;
  readonly dashboardToken: string;
  /** Resolves when it has ended, asked or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

async function firstMessage(child: ChildProcess, logFile: string): Promise<UpMessage & { type: 'ready' }> {
  const { promise, resolve, reject } = Promise.withResolvers<UpMessage>();
  child.once('message', (message) => resolve(message as UpMessage));
  child.once('error', reject);
  // Not `exit`: what it said last may still be on its way then.
  child.once('close', () =>
    resolve({ type: 'failed', code: 'HEDDLE_CONTROL_PLANE_FAILED', message: '', hint: '' }),
  );
  const message = await promise;
  if (message.type === 'ready') return message;
  if (message.message !== '') throw new CliError(message.code, message.message, { hint: message.hint });
  const log = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').at(-1) ?? '';
  throw new CliError(message.code, 'the control plane ended before it was ready', {
    hint: log === '' ? `it wrote to ${logFile}` : `it wrote: ${log}`,
  });
}

/** Starts a control plane on these ports. */
export async function startControlPlaneChild(
  store: string,
  ports: { readonly api: number; readonly xds: number; readonly join: number },
): Promise<ControlPlaneChild> {
  const logFile = join(store, 'control-plane.log');
  const log = openSync(logFile, 'a', 0o600);
  const flags = ['--api-port', ports.api, '--xds-port', ports.xds, '--join-port', ports.join].map(String);
  const child = spawn(process.execPath, [program, 'up', '--store', store, ...flags], {
    stdio: ['ignore', log, log, 'ipc'],
    // A session of its own: on Ctrl-C the instances withdraw before it ends.
    detached: true,
  });
  closeSync(log);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  const { dashboardUrl, dashboardToken } = await firstMessage(child, logFile);
  return {
    dashboardUrl,
    dashboardToken,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      if (
        (await within(
          systemClock,
          stopTimeoutMs,
          ended.then(() => true),
        )) !== true
      )
        child.kill('SIGKILL');
      await ended;
    },
  };
}
