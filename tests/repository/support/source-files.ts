import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url)).replace(/[\\/]$/, '');

/** Not ours, or made. `.git` is a file where the checkout is a worktree. */
const skipped = new Set(['node_modules', 'dist', '.git', '.heddle', '.cache', 'coverage', 'results']);

const textExtensions = new Set(
  [
    '.ts',
    '.tsx',
    '.js',
    '.mjs',
    '.cjs',
    '.json',
    '.md',
    '.yaml',
    '.yml',
    '.sh',
    '.html',
    '.css',
    '.proto',
  ].concat([...['.py', '.c', '.conf', '.cfg', '.toml', '.svg', '.txt', '', '.tmpl']]),
);

/** All files of the repository that are text, as paths relative to its root with `/`, sorted. */
export function textFiles(): string[] {
  const found: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        visit(path);
      } else if (entry.isFile() && textExtensions.has(extname(entry.name))) {
        found.push(relative(repositoryRoot, path).split(sep).join('/'));
      }
    }
  };
  visit(repositoryRoot);
  return found.toSorted();
}

/** All TypeScript files, generated ones included. */
export function typeScriptFiles(): string[] {
  return textFiles().filter((path) => path.endsWith('.ts') || path.endsWith('.tsx'));
}

/** The text of a file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

/** Whether a file was made by a generator: nobody writes or reviews it by hand. */
export function isGenerated(path: string): boolean {
  return path.includes('/generated/');
}

/** Whether a file takes part in tests only. */
export function isTestFile(path: string): boolean {
  return (
    /(\.test|\.test-support|-under-test|-fixture)\.tsx?$/.test(path) ||
    /\/test-[^/]+\.ts$/.test(path) ||
    path.includes('/testing/') ||
    path.startsWith('tests/') ||
    path.startsWith('fuzz/') ||
    path.startsWith('packages/testkit/')
  );
}

/** The package a path belongs to, such as `proxy`; empty outside `packages/`. */
export function packageOf(path: string): string {
  return /^packages\/([^/]+)\//.exec(path)?.[1] ?? '';
}

export interface PackageManifest {
  readonly name: string;
  readonly version?: string;
  readonly workspaces?: readonly string[];
  readonly exports?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The package.json in this directory of the repository. */
export function readManifest(directory: string): PackageManifest {
  const path = directory === '' ? 'package.json' : `${directory}/package.json`;
  return JSON.parse(readRepositoryFile(path)) as PackageManifest;
}

/** Directories of all workspaces, such as `packages/base`. */
export function workspaces(): readonly string[] {
  return readManifest('').workspaces ?? [];
}
