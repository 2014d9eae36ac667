// Turns programs into JavaScript without types, one file each plus what several of them share.
import { statSync } from 'node:fs';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { root } from './commands.ts';

const fileReference = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+)\1\s*,\s*import\.meta\.url\s*\)/g;

/** A package that is used once: it becomes a file of its own. */
const packageReference = /\brequireOnce\(\s*'([a-z-]+)'\s*,\s*import\.meta\.url\s*\)/g;

/** Text that nobody reads stays in memory: 2 MiB of an idle proxy. Names stay as they are, for stack traces in logs. */
const minify = {
  compress: true,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: true },
} as const;

/** A name for a program that another one starts by its file. */
function nameOf(source: string): string {
  return relative(root, source)
    .replace(/^packages\//, '')
    .replace(/\.ts$/, '')
    .replaceAll(/[/]+/g, '-')
    .replace('-src-', '-');
}

/**
 * Takes along what a module names by its file, `new URL('./x', import.meta.url)`: a program becomes an entry like the
 * others, any other file is copied. And what it loads by `requireOnce('x', import.meta.url)`.
 */
function namedFiles(
  names: ReadonlyMap<string, string>,
  programs: Set<string>,
  files: Set<string>,
  packages: Set<string>,
): Plugin {
  return {
    name: 'named-files',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null;
      const withFiles = code.replaceAll(fileReference, (whole, _quote: string, path: string) => {
        const source = resolve(dirname(id), path);
        if (statSync(source, { throwIfNoEntry: false })?.isFile() !== true) return whole;
        // A package's description lies one level above its programs, here as there.
        if (basename(source) === 'package.json') return whole;
        if (!source.endsWith('.ts')) {
          files.add(source);
          return `new URL('./${basename(source)}', import.meta.url)`;
        }
        programs.add(source);
        return `new URL('./${names.get(source) ?? nameOf(source)}.js', import.meta.url)`;
      });
      const changed = withFiles.replaceAll(packageReference, (_whole, name: string) => {
        packages.add(name);
        return `requireOnce('./${name}.cjs', import.meta.url)`;
      });
      return changed === code ? null : { code: changed, map: null };
    },
  };
}

/** Escapes what Latin-1 lacks: one ellipsis in a text makes V8 keep all of the file in two bytes a character. */
async function writeInLatin1(path: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const escaped = text.replaceAll(/(\\*)([^\0-\xff])/g, (whole, before: string, unit: string) => {
    if (before.length % 2 === 1) throw new Error(`${path}: ${whole} is escaped already`);
    return `${before}\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  if (escaped !== text) await writeFile(path, escaped);
}

/** Writes a CommonJS package as one file. */
async function bundlePackage(name: string, file: string): Promise<void> {
  const build = await rolldown({ input: name, cwd: root, platform: 'node', external: [/^node:/] });
  try {
    await build.write({
      file,
      format: 'cjs',
      comments: { legal: true, annotation: false, jsdoc: false },
      minify,
    });
  } finally {
    await build.close();
  }
}

/**
 * Bundles the programs (absolute paths by name) into `directory`, which is emptied first, with those they name by file.
 * Modules that match `external` are left out.
 */
export async function bundlePrograms(
  programs: Readonly<Record<string, string>>,
  directory: string,
  external: readonly RegExp[] = [],
): Promise<OutputChunk[]> {
  const entries = new Map(Object.entries(programs).map(([name, source]) => [source, name]));
  for (;;) {
    const found = new Set<string>();
    const files = new Set<string>();
    const packages = new Set<string>();
    const build = await rolldown({
      input: Object.fromEntries([...entries].map(([source, name]) => [name, source])),
      cwd: root,
      platform: 'node',
      external: [/^node:/, ...external],
      plugins: [namedFiles(entries, found, files, packages)],
      logLevel: 'warn',
    });
    try {
      await rm(directory, { recursive: true, force: true });
      const { output } = await build.write({
        dir: directory,
        format: 'esm',
        entryFileNames: '[name].js',
        // Beside the programs: what a module looks up relative to itself is then found from everywhere.
        chunkFileNames: 'chunk-[name]-[hash].js',
        comments: { legal: true, annotation: false, jsdoc: false },
        minify,
      });
      const missing = [...found].filter((source) => !entries.has(source));
      if (missing.length === 0) {
        for (const file of files) await copyFile(file, join(directory, basename(file)));
        const names = [...packages].map((name) => `${name}.cjs`);
        for (const name of packages) await bundlePackage(name, join(directory, `${name}.cjs`));
        for (const name of [...output.map(({ fileName }) => fileName), ...names]) {
          await writeInLatin1(join(directory, name));
        }
        return output.filter((one) => one.type === 'chunk');
      }
      for (const source of missing) entries.set(source, nameOf(source));
    } finally {
      await build.close();
    }
  }
}

/** Where a path of the repository is. */
export function inRepository(path: string): string {
  return join(root, path);
}
