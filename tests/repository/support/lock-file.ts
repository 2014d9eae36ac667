import { isDeepStrictEqual } from 'node:util';
import type { PackageManifest } from './source-files.ts';

export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** Packages whose install script we do without (.npmrc says ignore-scripts), each with what it would do. */
const idleScripts: ReadonlyMap<string, string> = new Map([
  ['node_modules/protobufjs', 'warns about version ranges of packages that depend on it'],
]);

/** What would make `npm ci` fail, or depend on one registry. */
export function judgeLockFile(lock: LockFile, manifests: ReadonlyMap<string, PackageManifest>): string[] {
  const problems: string[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    const where = path === '' ? 'the root' : path;
    if (entry.resolved !== undefined && entry.link !== true)
      problems.push(`${where} names where it was fetched from`);
    if (entry.hasInstallScript === true && !idleScripts.has(path))
      problems.push(`${where} has an install script`);
    const wanted = { ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies };
    for (const name of Object.keys(wanted)) {
      if (!resolves(lock, path, name))
        problems.push(`${where} needs ${name}, which has no entry: run npm run lock`);
    }
  }
  for (const [directory, manifest] of manifests) {
    const entry = lock.packages[directory];
    for (const group of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
      if (!isDeepStrictEqual(manifest[group] ?? {}, entry?.[group] ?? {})) {
        problems.push(
          `${directory === '' ? 'the root' : directory}: ${group} differ from package.json: run npm install`,
        );
      }
    }
  }
  return problems;
}

/** Looks a package up as Node.js would: in this node_modules, then in those above. */
function resolves(lock: LockFile, from: string, name: string): boolean {
  let directory = from;
  for (;;) {
    const key = directory === '' ? `node_modules/${name}` : `${directory}/node_modules/${name}`;
    if (lock.packages[key] !== undefined) return true;
    if (directory === '') return false;
    const parent = directory.lastIndexOf('/node_modules/');
    directory = parent > 0 ? directory.slice(0, parent) : '';
  }
}
