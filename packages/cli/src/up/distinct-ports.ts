import { usageError } from '../cli-error.ts';

/** Refuses two flags with the same port, the second of which would fail because another program has it. 0 means any. */
export function requireDistinctPorts(flags: Readonly<Record<string, number>>): void {
  const taken = new Map<number, string>();
  for (const [flag, port] of Object.entries(flags)) {
    const other = port === 0 ? undefined : taken.get(port);
    if (other !== undefined)
      throw usageError(`${other} and ${flag} both say ${port}; each needs a port of its own`);
    taken.set(port, flag);
  }
}
