import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LockFile, judgeLockFile } from './support/lock-file.ts';
import { readManifest, readRepositoryFile, workspaces } from './support/source-files.ts';

const manifests = new Map(['', ...workspaces()].map((directory) => [directory, readManifest(directory)]));

describe('package-lock.json', () => {
  test('is complete for every platform, agrees with the package.json files and names no registry', () => {
    const lock = JSON.parse(readRepositoryFile('package-lock.json')) as LockFile;
    assert.deepEqual(judgeLockFile(lock, manifests), []);
  });

  test('the check finds what breaks npm ci', () => {
    const lock: LockFile = {
      packages: {
        '': { dependencies: { a: '1.0.0' } },
        'node_modules/a': {
          version: '1.0.0',
          resolved: 'https://registry.example/a.tgz',
          optionalDependencies: { 'a-linux-arm64': '1.0.0' },
        },
      },
    };
    const problems = judgeLockFile(lock, new Map([['', { name: 'x', dependencies: { a: '1.0.1' } }]])).join(
      '\n',
    );
    assert.match(problems, /names where it was fetched from/);
    assert.match(problems, /needs a-linux-arm64/);
    assert.match(problems, /dependencies differ/);
  });
});
