import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import type { ImportedModule } from './module-text.ts';
import { isTestFile, packageOf, readManifest, repositoryRoot } from './source-files.ts';

/** Which packages each package may import (design, section 4). Absent means: none. */
export const allowedArrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  telemetry: ['base'],
  model: ['base'],
  xds: ['base'],
  identity: ['base'],
  ca: ['base', 'identity'],
  'control-plane': ['base', 'telemetry', 'model', 'xds', 'identity', 'ca'],
  proxy: ['base', 'telemetry', 'xds', 'identity'],
  cli: ['base', 'telemetry', 'model', 'xds', 'identity', 'ca', 'control-plane', 'proxy'],
  dashboard: [],
  testkit: ['base', 'proxy', 'xds'],
};

/** What tests beside the code may import on top of that. */
const forTests: ReadonlySet<string> = new Set(['testkit', 'ca']);

/** Places outside the packages that may reach into a package's files, each with its reason. */
const mayReachInside: readonly { readonly path: RegExp; readonly reason: string }[] = [
  { path: /^fuzz\//, reason: 'a fuzz target feeds a parser that its package does not export' },
  { path: /^benchmarks\/(micro|macro)\//, reason: 'a benchmark measures one function of a package' },
  { path: /^tools\//, reason: 'tools build and generate files of the packages' },
  {
    path: /^tests\/browser\//,
    reason: 'builds the dashboard that it looks at, with the dashboard’s own tools',
  },
  { path: /^tests\/repository\//, reason: 'the repository checks look at files, not at interfaces' },
  {
    path: /^packages\/cli\/src\/(demo|up)\//,
    reason: 'builds the dashboard when it is stale, through its tools',
  },
];

const packageNames: ReadonlyMap<string, string> = new Map(
  Object.keys(allowedArrows).map((name) => [name === 'cli' ? 'heddle' : `@heddle/${name}`, name]),
);

/** An import that is not allowed. */
export interface WrongArrow {
  readonly path: string;
  readonly line: number;
  readonly reason: string;
}

/** What a package.json allows a package to import from outside the repository. */
export interface DeclaredPackages {
  /** For all files of the package. */
  readonly product: ReadonlySet<string>;
  /** For its tests: the root's development tools. */
  readonly tests: ReadonlySet<string>;
}

/** The package part of a bare specifier: `@scope/name/deep` → `@scope/name`. */
export function bareName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What is wrong with one import of the file at `path`; null where nothing is. */
export function judgeImport(
  path: string,
  imported: ImportedModule,
  declared: DeclaredPackages,
): string | null {
  const { specifier } = imported;
  if (specifier.startsWith('.')) return judgeRelative(path, specifier);
  if (specifier.startsWith('node:')) return judgeBuiltin(path, specifier);
  if (builtinModules.includes(specifier)) return `write node:${specifier}`;
  const name = bareName(specifier);
  const target = packageNames.get(name);
  if (target !== undefined) return judgeArrow(path, specifier, name, target);
  const isDeclared = declared.product.has(name) || (isTestFile(path) && declared.tests.has(name));
  return isDeclared ? null : `${name} is not among the dependencies in its package.json`;
}

/** Whether the `exports` of a package's package.json offer this path below its name. */
function isExported(target: string, subpath: string): boolean {
  return Object.keys(readManifest(`packages/${target}`).exports ?? {}).some((pattern) => {
    const [before, after] = pattern.slice(1).split('*');
    return after === undefined ? subpath === before : subpath.startsWith(before!) && subpath.endsWith(after);
  });
}

function judgeBuiltin(path: string, specifier: string): string | null {
  if (packageOf(path) === 'dashboard' && !isTestFile(path) && path.includes('/src/')) {
    return 'browser code has no Node.js modules';
  }
  return specifier === 'node:test' && !isTestFile(path) ? 'node:test is for tests' : null;
}

function judgeArrow(path: string, specifier: string, name: string, target: string): string | null {
  if (specifier !== name && !isExported(target, specifier.slice(name.length)))
    return `deep import: a package is what its index.ts exports, so import '${name}'`;
  const from = packageOf(path);
  if (target === 'testkit') return isTestFile(path) || from === '' ? null : 'the testkit is for tests';
  if (from === '' || from === target) return null;
  const allowed = allowedArrows[from] ?? [];
  if (allowed.includes(target)) return null;
  if (isTestFile(path) && forTests.has(target)) return null;
  return `${from} must not import ${target} (it may import: ${allowed.join(', ') || 'nothing'})`;
}

function judgeRelative(path: string, specifier: string): string | null {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier.replace(/\?.*$/, '')));
  const from = packageOf(path);
  const to = packageOf(target);
  if (from !== to && to !== '' && !mayReachInside.some((place) => place.path.test(path))) {
    return `reaches into packages/${to} by path: import the package by its name`;
  }
  if (from !== '' && to === '') return 'a package must not reach out of packages/';
  if (!isTestFile(path) && isTestFile(target)) return 'product code must not import what is for tests';
  return existsSync(join(repositoryRoot, target)) ? null : `there is no ${target}`;
}

/**
 * Cycles among a package's own modules: each as the modules on it. Imports of types make none, they are gone at run time;
 * nor do those loaded on demand.
 */
export function findCycles(modules: ReadonlyMap<string, readonly ImportedModule[]>): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const seen = trail.indexOf(path);
    if (seen >= 0) {
      cycles.push([...trail.slice(seen), path]);
      return;
    }
    if (finished.has(path)) return;
    trail.push(path);
    for (const imported of modules.get(path) ?? []) {
      if (imported.isType || imported.isDynamic || !imported.specifier.startsWith('.')) continue;
      const target = posix.normalize(posix.join(posix.dirname(path), imported.specifier));
      if (modules.has(target)) visit(target);
    }
    trail.pop();
    finished.add(path);
  };
  for (const path of modules.keys()) visit(path);
  return cycles;
}
