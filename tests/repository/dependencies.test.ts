import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readManifest, readRepositoryFile, repositoryRoot, workspaces } from './support/source-files.ts';

/** Every package that somebody has to install, wherever it is named. */
function allDependencies(): Set<string> {
  const names = new Set<string>();
  const directories = ['', ...workspaces(), 'tools/protogen'];
  for (const directory of directories) {
    if (!existsSync(join(repositoryRoot, directory, 'package.json'))) continue;
    const manifest = readManifest(directory);
    const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies];
    for (const name of groups.flatMap((group) => Object.keys(group ?? {}))) {
      if (!name.startsWith('@heddle/')) names.add(name);
    }
  }
  return names;
}

/** Names in the headings of docs/dependencies.md: `### yaml`, or several, separated by commas. */
function documented(): Map<string, string> {
  const entries = new Map<string, string>();
  for (const section of readRepositoryFile('docs/dependencies.md').split(/^### /m).slice(1)) {
    const end = section.indexOf('\n');
    for (const name of section.slice(0, end).split(',')) {
      entries.set(name.trim().replaceAll('`', ''), section.slice(end));
    }
  }
  return entries;
}

test('every dependency has an entry in docs/dependencies.md, and every entry a dependency', () => {
  assert.deepEqual([...documented().keys()].toSorted(), [...allDependencies()].toSorted());
});

test('every entry says why, what it costs, its licence and what we would do without it', () => {
  for (const [name, text] of documented()) {
    for (const word of ['Why', 'Cost', 'Licence', 'Without it']) {
      assert.match(text, new RegExp(`^- \\*\\*${word}:\\*\\* \\S`, 'm'), `${name} lacks "${word}"`);
    }
  }
});

test('versions are exact', () => {
  for (const directory of ['', ...workspaces()]) {
    const manifest = readManifest(directory);
    const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies];
    for (const [name, version] of groups.flatMap((group) => Object.entries(group ?? {}))) {
      assert.match(version, /^\d+\.\d+\.\d+$/, `${name} in ${directory === '' ? 'the root' : directory}`);
    }
  }
});

test('the sidecar carries no library from outside', () => {
  for (const name of ['base', 'telemetry', 'xds', 'identity', 'proxy']) {
    const foreign = Object.keys(readManifest(`packages/${name}`).dependencies ?? {}).filter(
      (dependency) => !dependency.startsWith('@heddle/'),
    );
    assert.deepEqual(foreign, [], `packages/${name}`);
  }
});
