// Builds what packages and images ship: bundled JavaScript without types, in `dist/`. `npm run build`.
import { existsSync, readFileSync } from 'node:fs';
import { cp, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDashboardBuilt } from '../packages/dashboard/tools/ensure-built.ts';
import { bundlePrograms, inRepository } from './bundle.ts';

/** The programs by their name in `dist/`. Those they start by file come along. */
const programs: Readonly<Record<string, string>> = {
  main: 'packages/cli/src/main.ts',
  sidecar: 'packages/proxy/src/sidecar/main.ts',
};

/** Nothing that ships needs these, though a module names them for the checkout's sake. */
const onlyInCheckout = [/packages\/dashboard\/tools\//];

const directory = inRepository('dist');
const present = Object.entries(programs).filter(([name, path]) => {
  if (existsSync(inRepository(path))) return true;
  console.log(`left out: ${name}, there is no ${path} yet`);
  return false;
});
const chunks = await bundlePrograms(
  Object.fromEntries(present.map(([name, path]) => [name, inRepository(path)])),
  directory,
  onlyInCheckout,
);

const { version, license } = JSON.parse(readFileSync(inRepository('packages/cli/package.json'), 'utf8')) as {
  version: string;
  license: string;
};
const manifest = { name: 'heddle', version, license, type: 'module', engines: { node: '>=26' } };
await writeFile(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
await cp(await ensureDashboardBuilt(), join(directory, 'dashboard'), { recursive: true });

for (const chunk of chunks.toSorted((a, b) => Number(b.isEntry) - Number(a.isEntry))) {
  const { size } = await stat(join(directory, chunk.fileName));
  console.log(`${`dist/${chunk.fileName}`.padEnd(60)} ${(size / 1024).toFixed(0).padStart(6)} KiB`);
}
