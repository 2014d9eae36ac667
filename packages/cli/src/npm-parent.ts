// Notices when npm or npx, which started us, has been killed.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Clock } from '@heddle/base';
import { delay } from './supervisor/delay.ts';

const intervalMs = 500;
const shells = new Set(['sh', 'dash', 'bash', 'ash', 'zsh', 'busybox']);

/** A process's program and its parent, from /proc; null where that can't tell. */
async function processOf(pid: number): Promise<{ readonly program: string; readonly parent: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const nameEnd = text.lastIndexOf(')');
  if (nameEnd < 0) return null;
  const program = basename(text.slice(text.indexOf('(') + 1, nameEnd));
  return { program, parent: Number(text.slice(nameEnd + 2).split(' ')[1]) };
}

/** npm runs scripts by a shell, which may stand between it and us: its parent, or -1 where there is none to watch. */
async function shellParent(): Promise<number> {
  const parent = await processOf(process.ppid);
  return parent !== null && shells.has(parent.program) ? parent.parent : -1;
}

/**
 * Calls `onGone` when npm is gone while we still run, which happens after kill -9 only: `npx heddle run …` is the
 * application to whoever started it, and should not leave half of itself behind. Does nothing where npm has not started
 * us. `event` narrows that down to one of npm's own names: a script may start us in the background on purpose and end,
 * `npx` never does.
 */
export async function watchNpm(
  clock: Clock,
  event: 'npx' | 'any',
  onGone: () => void,
  signal: AbortSignal,
): Promise<void> {
  const startedBy = process.env['npm_lifecycle_event'];
  if (startedBy === undefined || (event === 'npx' && startedBy !== 'npx')) return;
  const parent = process.ppid;
  const beyond = await shellParent();
  while (!signal.aborted) {
    if (process.ppid !== parent || (await shellParent()) !== beyond) {
      onGone();
      return;
    }
    await delay(clock, intervalMs, signal);
  }
}
