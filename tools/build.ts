// Builds what packages and images ship: bundled JavaScript without types, in `dist/`. `npm run build`.
//
// Each program is an entry; modules that several share become chunks, so that the sidecar loads none of the control
// plane's. A program that another one starts by its file, `new URL('./x.ts', import.meta.url)`, becomes an entry by that.
import { cp, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { ensureDashboardBuilt } from '../packages/dashboard/tools/ensure-built.ts';
import { root } from './commands.ts';

/** The programs by their name in `dist/`. */
const programs: Readonly<Record<string, string>> = {
  main: 'packages/cli/src/main.ts',
  sidecar: 'packages/proxy/src/sidecar/main.ts',
};

/** Nothing that ships needs these, though a module names them for the checkout's sake. */
const onlyInCheckout = /packages\/dashboard\/tools\//;

const fileReference = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+\.ts)\1\s*,\s*import\.meta\.url\s*\)/g;

/** The name of the built program for this source file. */
function programName(source: string): string {
  const known = Object.entries(programs).find(([, path]) => resolve(root, path) === source);
  return (
    known?.[0] ??
    relative(join(root, 'packages'), source)
      .replace(/\/src\//, '-')
      .replaceAll(/[/]/g, '-')
      .replace(/\.ts$/, '')
  );
}

/** Makes programs that are named by file entries of their own, next to the others. */
function programsByFile(found: Set<string>): Plugin {
  return {
    name: 'programs-by-file',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null;
      const changed = code.replaceAll(fileReference, (whole, _quote: string, path: string) => {
        const source = resolve(dirname(id), path);
        if (!existsSync(source)) return whole;
        found.add(source);
        return `new URL('./${programName(source)}.js', import.meta.url)`;
      });
      return changed === code ? null : { code: changed, map: null };
    },
  };
}

/** Bundles these entries into `directory`; returns the programs they name by file and the output. */
async function bundle(
  entries: Readonly<Record<string, string>>,
  directory: string,
): Promise<{ named: Set<string>; chunks: OutputChunk[] }> {
  const named = new Set<string>();
  const build = await rolldown({
    input: { ...entries },
    platform: 'node',
    external: [/^node:/, onlyInCheckout],
    plugins: [programsByFile(named)],
    logLevel: 'warn',
  });
  try {
    const { output } = await build.write({
      dir: directory,
      format: 'esm',
      entryFileNames: '[name].js',
      // Chunks lie beside the programs: what a module looks up relative to itself is found from both.
      chunkFileNames: 'chunk-[name]-[hash].js',
      comments: { legal: true, annotation: false, jsdoc: false },
    });
    return { named, chunks: output.filter((one) => one.type === 'chunk') };
  } finally {
    await build.close();
  }
}

const directory = join(root, 'dist');
await rm(directory, { recursive: true, force: true });

const entries = Object.fromEntries(
  Object.entries(programs)
    .map(([name, path]) => [name, join(root, path)] as const)
    .filter(([, path]) => existsSync(path)),
);
for (const [name, path] of Object.entries(programs)) {
  if (entries[name] === undefined) console.log(`left out: ${name}, there is no ${path} yet`);
}
let result = await bundle(entries, directory);
// A program may name another by its file: bundle again until all are entries.
for (;;) {
  const missing = [...result.named].filter((source) => !Object.values(entries).includes(source));
  if (missing.length === 0) break;
  for (const source of missing) entries[programName(source)] = source;
  await rm(directory, { recursive: true, force: true });
  result = await bundle(entries, directory);
}

const { version, license } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8')) as {
  version: string;
  license: string;
};
const manifest = { name: 'heddle', version, license, type: 'module', engines: { node: '>=26' } };
await writeFile(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
await cp(await ensureDashboardBuilt(), join(directory, 'dashboard'), { recursive: true });

for (const chunk of result.chunks.toSorted((a, b) => Number(b.isEntry) - Number(a.isEntry))) {
  const { size } = await stat(join(directory, chunk.fileName));
  console.log(`${`dist/${chunk.fileName}`.padEnd(60)} ${(size / 1024).toFixed(0).padStart(6)} KiB`);
}
