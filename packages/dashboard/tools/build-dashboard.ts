import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultDirectory, packageDirectory, sourceHash, stampName } from './source-hash.ts';

/**
 * Builds the dashboard into a directory, whose content is replaced. It is built beside and then put in place, so that a
 * server that is running, or another build, never meets half of it.
 */
export async function buildDashboard(target: string = defaultDirectory): Promise<void> {
  // Imported here because loading it takes longer than everything else in a start that finds the build fresh.
  const { build } = await import('vite');
  const hash = await sourceHash();
  const workshop = `${target}.${process.pid}`;
  try {
    await build({
      configFile: join(packageDirectory, 'vite.config.ts'),
      configLoader: 'native',
      logLevel: 'warn',
      build: { outDir: workshop },
    });
    await writeFile(join(workshop, stampName), hash);
    await rm(target, { recursive: true, force: true });
    await rename(workshop, target);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}
