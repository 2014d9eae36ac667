import { CliError } from '../cli-error.ts';
import { isPortFree } from '../supervisor/ports.ts';

const attempts = 100;

/** The wanted port or the next free one above it that is not taken yet by the demo itself. */
export async function nextFreePort(wanted: number, taken: Set<number>): Promise<number> {
  for (let port = wanted; port < wanted + attempts && port < 65_536; port++) {
    if (taken.has(port) || !(await isPortFree(port))) continue;
    taken.add(port);
    return port;
  }
  throw new CliError('HEDDLE_NO_FREE_PORTS', `no free port from ${wanted} to ${wanted + attempts - 1}`);
}
