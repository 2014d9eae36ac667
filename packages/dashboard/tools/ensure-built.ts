import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultDirectory, sourceHash, stampName } from './source-hash.ts';

/**
 * Builds the dashboard if there is no build or its sources have changed since, and returns the directory to serve.
 * Says nothing. Throws when the build fails; a missing build tool is reported with what to do.
 */
export async function ensureDashboardBuilt(directory: string = defaultDirectory): Promise<string> {
  if ((await readStamp(directory)) === (await sourceHash())) return directory;
  const { buildDashboard } = await import('./build-dashboard.ts');
  try {
    await buildDashboard(directory);
    return directory;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new Error(
        'the dashboard has to be built and its build tool is missing: run `npm ci` in the checkout',
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

async function readStamp(directory: string): Promise<string | null> {
  try {
    return await readFile(join(directory, stampName), 'utf8');
  } catch {
    return null;
  }
}

if (import.meta.main) await ensureDashboardBuilt();
