import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program of this machine, or null. A name with a slash is looked at as it is. */
export function findProgram(name: string): string | null {
  if (name.includes('/')) return existsSync(name) ? name : null;
  // Debian keeps servers where a user's PATH may not look.
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path)) ?? null;
}

/** Real Envoy: HEDDLE_ENVOY, or `envoy` in PATH or /opt/envoy/bin. */
export function findEnvoy(): string | null {
  const named = process.env['HEDDLE_ENVOY'];
  if (named !== undefined && named !== '') return findProgram(named);
  return findProgram('envoy') ?? findProgram('/opt/envoy/bin/envoy');
}

/**
 * For a test's `skip`: false where everything it needs is there, else why it can't run. With HEDDLE_REQUIRE_ALL=1, as in
 * the CI script, it throws instead: nothing is skipped there.
 */
export function skipWithout(needs: Readonly<Record<string, string | null>>): string | false {
  const missing = Object.keys(needs).filter((name) => needs[name] === null);
  if (missing.length === 0) return false;
  const reason = `not on this machine: ${missing.join(', ')}`;
  if (process.env['HEDDLE_REQUIRE_ALL'] === '1') throw new Error(reason);
  return reason;
}
