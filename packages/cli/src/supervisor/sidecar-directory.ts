// The directories of local sidecars in the store: `<store>/sidecars/<instance>/`.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '@heddle/base';
import type { SidecarOptions } from '@heddle/proxy';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { isProcessAlive } from '../process-alive.ts';

const optionsName = 'options.json';
const supervisorName = 'supervisor.pid';

function sidecarsOf(store: string): string {
  return join(store, 'sidecars');
}

/** Where a sidecar keeps its key, certificate and last good configuration. */
export function sidecarDirectory(store: string, instance: string): string {
  return join(sidecarsOf(store), instance);
}

/** Writes what the sidecar is told, readable by the owner only; returns the file's path. */
export async function writeSidecarDirectory(options: SidecarOptions): Promise<string> {
  const directory = options.stateDirectory;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(join(directory, supervisorName), `${process.pid}\n`, { mode: 0o600 });
    const file = join(directory, optionsName);
    await writeFile(file, `${JSON.stringify(options, null, 2)}\n`, { mode: 0o600 });
    return file;
  } catch (error) {
    throw new CliError('HEDDLE_STORE_UNWRITABLE', `can't write to ${directory} (${systemErrorCode(error)})`, {
      hint: 'choose another store with --store',
      exitCode: ExitCode.runFailed,
      cause: error,
    });
  }
}

/** Removes a sidecar's directory: its instance will never come back under this name. */
export async function removeSidecarDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

async function instancesIn(store: string): Promise<readonly string[]> {
  return await readdir(sidecarsOf(store)).catch(() => []);
}

/** Removes what supervisors that were killed have left: keys of instances that are gone. */
export async function sweepSidecarDirectories(store: string): Promise<void> {
  for (const instance of await instancesIn(store)) {
    const directory = sidecarDirectory(store, instance);
    const text = await readFile(join(directory, supervisorName), 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    // Without a readable number it may be one that is being made; a number in use again keeps it: both are harmless.
    if (pid > 0 && !isProcessAlive(pid)) await removeSidecarDirectory(directory);
  }
}

/** Ports of other local workloads that nobody but their sidecars should connect to, and whose they are. */
export async function neighbourPorts(
  store: string,
  ownInstance: string,
): Promise<ReadonlyMap<number, string>> {
  const ports = new Map<number, string>();
  for (const instance of await instancesIn(store)) {
    if (instance === ownInstance) continue;
    const text = await readFile(join(sidecarDirectory(store, instance), optionsName), 'utf8').catch(() => '');
    if (text === '') continue;
    try {
      const { appPort, inbound, service } = JSON.parse(text) as SidecarOptions;
      ports.set(appPort, service);
      ports.set(inbound.port, service);
    } catch {
      // A file that is being written; the next look will see it.
    }
  }
  return ports;
}
