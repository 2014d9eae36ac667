// Builds the package that is published and put into images: bundled JavaScript without types, the launcher, the dashboard,
// in `dist/heddle`. `npm run build`.
import { existsSync, readFileSync } from 'node:fs';
import { cp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDashboardBuilt } from '../packages/dashboard/tools/ensure-built.ts';
import { bundlePrograms, inRepository } from './bundle.ts';

/** The programs by their name. Those they start by file come along. */
const programs: Readonly<Record<string, string>> = {
  main: 'packages/cli/src/main.ts',
  sidecar: 'packages/proxy/src/sidecar/main.ts',
};

/** Nothing that ships needs these, though a module names them for the checkout's sake. */
const onlyInCheckout = [/packages\/dashboard\/tools\//];

const directory = inRepository('dist/heddle');
const present = Object.entries(programs).filter(([name, path]) => {
  if (existsSync(inRepository(path))) return true;
  console.log(`left out: ${name}, there is no ${path} yet`);
  return false;
});
await rm(directory, { recursive: true, force: true });
const chunks = await bundlePrograms(
  Object.fromEntries(present.map(([name, path]) => [name, inRepository(path)])),
  join(directory, 'dist'),
  onlyInCheckout,
);

const root = readManifest('package.json');
const { name, version, description, license, bin } = readManifest('packages/cli/package.json');
const { optionalDependencies } = root;
const manifest = { name, version, description, license, type: 'module', bin, optionalDependencies };
await writeFile(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
await cp(inRepository('packages/cli/bin'), join(directory, 'bin'), { recursive: true });
await cp(await ensureDashboardBuilt(), join(directory, 'dashboard'), { recursive: true });

for (const chunk of chunks.toSorted((a, b) => Number(b.isEntry) - Number(a.isEntry))) {
  const { size } = await stat(join(directory, 'dist', chunk.fileName));
  console.log(
    `${`dist/heddle/dist/${chunk.fileName}`.padEnd(60)} ${(size / 1024).toFixed(0).padStart(6)} KiB`,
  );
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(inRepository(path), 'utf8')) as Manifest;
}
