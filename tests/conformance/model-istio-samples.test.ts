// Istio's sample configurations: every file is read, every document of ours validates or is refused for a stated reason.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import { analyzeFiles, parseManifests } from '@heddle/model';
import { suiteFolder } from './model-data.ts';
import { explain } from './model-deviations.ts';

const suite = 'istio-samples';
const folder = suiteFolder(suite);

interface IndexEntry {
  readonly file: string;
  readonly documents: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
  }[];
}

function parse(file: string): ReturnType<typeof parseManifests> {
  return parseManifests([{ name: file, text: readFileSync(join(folder!, file), 'utf8') }], {
    namespace: 'default',
  });
}

// Kinds that are not ours, and files of plain values, such as Helm's, that hold no object at all.
const kindProblems = new Set(['HEDDLE_UNSUPPORTED_KIND', 'HEDDLE_UNKNOWN_KIND', 'HEDDLE_NOT_AN_OBJECT']);

test(
  'reads every file of the samples and accounts for every document',
  { skip: folder === undefined },
  () => {
    const index = JSON.parse(readFileSync(join(folder!, 'index.json'), 'utf8')) as readonly IndexEntry[];
    const count = { passed: 0, failed: 0, deviates: 0, skipped: 0 };
    const failures: string[] = [];
    for (const { file, documents } of index) {
      const { objects, problems } = parse(file);
      const others = problems.filter(({ code }) => kindProblems.has(code));
      const own = problems.filter(({ code, severity }) => !kindProblems.has(code) && severity === 'error');
      count.skipped += others.length;
      count.passed += objects.length;
      const missing = documents.length - others.length - objects.length;
      if (missing === 0 && own.length === 0) continue;
      if (explain(suite, own) !== undefined) count.deviates += Math.max(1, missing);
      else {
        count.failed += Math.max(1, missing);
        failures.push(`${file}: ${missing} documents missing\n${own.map(formatProblem).join('\n')}`);
      }
    }
    const { passed, failed, deviates, skipped } = count;
    console.log(`${suite}: passed ${passed}, failed ${failed}, deviates ${deviates}, skipped ${skipped}`);
    assert.deepEqual(failures, []);
    assert.ok(passed > 0);
  },
);

const accepted = [
  'destination-rule-all',
  'destination-rule-all-mtls',
  'virtual-service-all-v1',
  'virtual-service-details-v2',
  'virtual-service-ratings-db',
  'virtual-service-ratings-mysql',
  'virtual-service-ratings-mysql-vm',
  'virtual-service-reviews-50-v3',
  'virtual-service-reviews-80-20',
  'virtual-service-reviews-90-10',
  'virtual-service-reviews-jason-v2-v3',
  'virtual-service-reviews-test-v2',
  'virtual-service-reviews-v2-v3',
  'virtual-service-reviews-v3',
];

for (const name of accepted) {
  test(`accepts bookinfo's ${name} unmodified`, { skip: folder === undefined }, () => {
    const { objects, problems } = parse(`bookinfo/networking/${name}.yaml`);
    assert.deepEqual(
      problems.filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.ok(objects.length > 0);
  });
}

/** Files that the walk-through applies one at a time, and what they need beside bookinfo's services and subsets. */
const walkThrough: readonly (readonly string[])[] = [
  ...accepted
    .filter(
      (name) => !name.includes('rating') && !name.includes('destination') && !name.includes('details-v2'),
    )
    .map((name) => [`networking/${name}.yaml`]),
  ['networking/virtual-service-ratings-test-delay.yaml'],
  ['networking/virtual-service-ratings-test-abort.yaml'],
  ['networking/virtual-service-details-v2.yaml', 'platform/kube/bookinfo-details-v2.yaml'],
  ['networking/virtual-service-ratings-db.yaml', 'platform/kube/bookinfo-ratings-v2.yaml'],
  ['networking/virtual-service-ratings-mysql.yaml', 'platform/kube/bookinfo-ratings-v2-mysql.yaml'],
  ['networking/egress-rule-google-apis.yaml'],
];

test('finds nothing wrong with the walk-through of bookinfo', { skip: folder === undefined }, () => {
  const base = ['platform/kube/bookinfo.yaml', 'networking/destination-rule-all.yaml'];
  for (const files of walkThrough) {
    const read = [...base, ...files].map((name) => {
      return { name, text: readFileSync(join(folder!, 'bookinfo', name), 'utf8') };
    });
    const found = analyzeFiles(read, { namespace: 'default' });
    const wrong = found.filter(({ level }) => level === 'ERROR').map(({ problem }) => formatProblem(problem));
    assert.deepEqual(wrong, [], files.join());
  }
});
