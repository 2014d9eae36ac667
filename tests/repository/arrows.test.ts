import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allowedArrows, type DeclaredPackages, findCycles, judgeImport } from './support/arrows.ts';
import { type ImportedModule, readModule } from './support/module-text.ts';
import {
  isGenerated,
  packageOf,
  readManifest,
  readRepositoryFile,
  typeScriptFiles,
  workspaces,
} from './support/source-files.ts';

const root = readManifest('');
const tools = new Set(Object.keys(root.devDependencies ?? {}));
/** What some package or the root declares: tests across packages may use all of it. */
const anywhere = new Set([
  ...tools,
  ...workspaces().flatMap((directory) => Object.keys(readManifest(directory).dependencies ?? {})),
]);

function declaredFor(path: string): DeclaredPackages {
  const name = packageOf(path);
  if (name === '') return { product: anywhere, tests: anywhere };
  const manifest = readManifest(`packages/${name}`);
  // The dashboard is built into static files: what it uses is needed at build time only.
  const product = { ...manifest.dependencies, ...(name === 'dashboard' ? manifest.devDependencies : {}) };
  return {
    product: new Set(Object.keys(product)),
    tests: new Set([...tools, ...Object.keys(manifest.devDependencies ?? {})]),
  };
}

function judge(path: string, code: string): string[] {
  return readModule(path, code)
    .imports.map((imported) => judgeImport(path, imported, declaredFor(path)))
    .filter((reason) => reason !== null);
}

const files = typeScriptFiles().filter((path) => !path.startsWith('tools/protogen/'));
const modules = new Map<string, readonly ImportedModule[]>(
  files.map((path) => [path, readModule(path, readRepositoryFile(path)).imports]),
);

describe('import arrows', () => {
  test('every import goes the way the design allows', () => {
    const wrong: string[] = [];
    for (const [path, imports] of modules) {
      const declared = declaredFor(path);
      for (const imported of imports) {
        const reason = judgeImport(path, imported, declared);
        if (reason !== null) wrong.push(`${path}:${imported.line}: '${imported.specifier}': ${reason}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test('no module of a package imports itself in a circle', () => {
    const own = new Map([...modules].filter(([path]) => packageOf(path) !== '' && !isGenerated(path)));
    assert.deepEqual(
      findCycles(own).map((cycle) => cycle.join(' → ')),
      [],
    );
  });

  test('every workspace has its row in the table of arrows', () => {
    const names = workspaces().map((directory) => directory.replace('packages/', ''));
    assert.deepEqual(names.toSorted(), Object.keys(allowedArrows).toSorted());
  });

  test('the package.json of a package names no package that it must not import', () => {
    for (const directory of workspaces()) {
      const name = packageOf(`${directory}/`);
      for (const dependency of Object.keys(readManifest(directory).dependencies ?? {})) {
        if (!dependency.startsWith('@heddle/')) continue;
        const target = dependency.slice('@heddle/'.length);
        assert.ok(allowedArrows[name]!.includes(target), `${directory} must not depend on ${dependency}`);
      }
    }
  });
});

describe('import arrows, put in wrong on purpose', () => {
  const cases: readonly [string, string, RegExp | null][] = [
    ['packages/base/src/a.ts', "import { ok } from '@heddle/telemetry';", /base must not import telemetry/],
    ['packages/proxy/src/a.ts', "import type { Mesh } from '@heddle/model';", /proxy must not import model/],
    [
      'packages/proxy/src/a.ts',
      "export * from '@heddle/control-plane';",
      /proxy must not import control-plane/,
    ],
    ['packages/proxy/src/a.ts', "const x = await import('@heddle/ca');", /proxy must not import ca/],
    ['packages/proxy/src/a.ts', "let x: import('@heddle/ca').Root;", /proxy must not import ca/],
    ['packages/proxy/src/a.ts', "import\n  x\nfrom\n'heddle';", /proxy must not import cli/],
    [
      'packages/dashboard/src/a.ts',
      "import type { A } from '@heddle/base';",
      /dashboard must not import base/,
    ],
    ['packages/proxy/src/a.ts', "import { x } from '@heddle/base/src/clock.ts';", /deep import/],
    ['packages/proxy/src/a.ts', "import { x } from '../../base/src/clock.ts';", /by path/],
    ['packages/proxy/src/a.ts', "import { VirtualClock } from '@heddle/testkit';", /testkit is for tests/],
    ['packages/proxy/src/a.ts', "import { parse } from 'yaml';", /not among the dependencies/],
    ['packages/proxy/src/a.ts', "import { test } from 'node:test';", /for tests/],
    ['packages/proxy/src/a.ts', "import { readFile } from 'fs';", /write node:fs/],
    ['packages/proxy/src/a.ts', "import { x } from './missing.ts';", /there is no/],
    ['packages/cli/src/a.ts', "import { x } from '../../dashboard/src/main.tsx';", /by path/],
    ['packages/proxy/src/a.ts', "// import '@heddle/model'\nconst s = \"import '@heddle/model'\";", null],
    ['packages/proxy/src/a.test.ts', "import { VirtualClock } from '@heddle/testkit';", null],
    ['packages/proxy/src/a.ts', "import { Clock } from '@heddle/base'; import 'node:net';", null],
    ['tests/e2e/a.test.ts', "import { up } from '@heddle/control-plane';", null],
    ['fuzz/targets/a.ts', "import { requestCases } from '../../tests/wire/requests.ts';", null],
    ['tools/a.ts', "import { requestCases } from '../tests/wire/requests.ts';", /for tests/],
  ];
  for (const [path, code, expected] of cases) {
    test(`${path}: ${code.replaceAll('\n', ' ')}`, () => {
      const reasons = judge(path, code);
      if (expected === null) assert.deepEqual(reasons, []);
      else assert.match(reasons.join('; '), expected);
    });
  }

  test('a circle of imports is found, one of types is none', () => {
    const module = (specifier: string, isType = false): ImportedModule[] => [
      { specifier, line: 1, isType, isDynamic: false },
    ];
    const circle = new Map([
      ['packages/base/src/a.ts', module('./b.ts')],
      ['packages/base/src/b.ts', module('./c/d.ts')],
      ['packages/base/src/c/d.ts', module('../a.ts')],
    ]);
    assert.equal(findCycles(circle).length, 1);
    circle.set('packages/base/src/c/d.ts', module('../a.ts', true));
    assert.deepEqual(findCycles(circle), []);
  });
});
