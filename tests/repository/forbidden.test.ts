import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findForbidden } from './support/forbidden.ts';
import { readRepositoryFile, textFiles } from './support/source-files.ts';

describe('forbidden things', () => {
  test('there are none', () => {
    const found = textFiles()
      .filter((path) => path !== 'package-lock.json')
      .flatMap((path) => findForbidden(path, readRepositoryFile(path)))
      .map((finding) => `${finding.path}:${finding.line}: ${finding.reason}`);
    assert.deepEqual(found, []);
  });
});

describe('forbidden things, put in on purpose', () => {
  const cases: readonly [string, string, boolean][] = [
    ['packages/proxy/src/a.ts', 'connect({ rejectUnauthorized: false });', true],
    ['tests/e2e/a.test.ts', 'connect({ rejectUnauthorized: false });', true],
    ['tests/e2e/attackers.test.ts', 'connect({ rejectUnauthorized: false });', false],
    ['packages/proxy/src/a.ts', 'const t = Date.now();', true],
    ['packages/proxy/src/a.ts', '// Date.now() is not for us.', false],
    ['packages/base/src/clock.ts', 'const t = Date.now();', false],
    ['packages/proxy/src/a.test.ts', 'const t = Date.now();', false],
    ['packages/proxy/src/a.ts', 'setTimeout(() => run(), 10);', true],
    ['packages/proxy/src/a.ts', 'socket.setTimeout(10);', false],
    ['packages/proxy/src/a.ts', 'const x = Math.random();', true],
    ['packages/proxy/src/a.test.ts', "test.only('x', () => {});", true],
    ['packages/proxy/src/a.ts', '// TODO: later', true],
    ['packages/proxy/src/a.ts', '// TODO(#12): later', false],
    ['docs/a.md', 'see /home/somebody/checkout', true],
    ['docs/a.md', 'see /root/checkout', true],
    ['docs/a.md', 'a Dockerfile of the image has WORKDIR /app; spiffe://td/ns/work/sa', false],
    ['.npmrc', 'registry=https://registry.npmjs.org', true],
    ['packages/proxy/src/a.ts', 'process.exit(1);', true],
    ['packages/proxy/src/sidecar/main.ts', 'process.exit(1);', false],
  ];
  for (const [path, text, isForbidden] of cases) {
    test(`${path}: ${text} is ${isForbidden ? 'found' : 'let through'}`, () => {
      assert.equal(findForbidden(path, text).length > 0, isForbidden);
    });
  }
});
