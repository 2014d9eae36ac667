// Istio's own cases for the analysis of configuration: what is found, in which object.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Finding, analyze, parseManifests } from '@heddle/model';
import { parse } from 'yaml';
import { analyzers } from './model-analyzers.ts';
import { suiteFolder } from './model-data.ts';
import { analysisDeviations } from './model-deviations.ts';

const suite = 'istio-analyze';
const folder = suiteFolder(suite);

interface Case {
  readonly id: string;
  readonly analyzer: string;
  readonly codesInScope: readonly string[];
  readonly inputFiles?: readonly string[];
  readonly meshConfigFile?: string;
  readonly expected: readonly { readonly code: string; readonly resource: string }[];
}

type Verdict = 'passed' | 'failed' | 'deviates' | 'skipped';

function read(file: string): { name: string; text: string } {
  return { name: file, text: readFileSync(join(folder!, file), 'utf8') };
}

/** The mesh's settings: bare, or in a ConfigMap. */
function meshConfig(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  const read_ = parse(read(file).text) as Record<string, unknown>;
  const data = read_['data'] as { mesh?: string } | undefined;
  return data?.mesh === undefined ? read_ : (parse(data.mesh) as Record<string, unknown>);
}

/** `Kind namespace/name`; an object that names no namespace is read as one of `default`. */
function resourceOf({ object: { kind, namespace, name } }: Finding): string {
  return `${kind} ${namespace}/${name}`;
}

function find(one: Case, names: readonly Finding['analyzer'][]): string[] {
  const files = [...(one.inputFiles ?? []), 'default-ingress.yaml'].map(read);
  const { objects } = parseManifests(files, { namespace: 'default', keepsInvalid: true });
  const findings = analyze({
    objects: objects.map(({ object }, createdRevision) => ({ object, createdRevision })),
    services: new Map(),
    rootNamespace: 'istio-system',
    meshConfig: meshConfig(one.meshConfigFile),
  });
  return findings
    .filter(({ analyzer, code }) => names.includes(analyzer) && one.codesInScope.includes(code))
    .map((found) => `${found.code} ${resourceOf(found)}`)
    .sort();
}

function judge(one: Case, failures: string[]): Verdict {
  const names = analyzers.get(one.analyzer);
  if (names === undefined) return 'skipped';
  const found = find(one, names);
  const expected = one.expected
    .map(
      ({ code, resource }) =>
        `${code} ${resource.includes('/') ? resource : resource.replace(' ', ' default/')}`,
    )
    .sort();
  if (found.join('\n') === expected.join('\n')) return 'passed';
  if (analysisDeviations.some(({ cases }) => cases.includes(one.id))) return 'deviates';
  failures.push(
    `${one.id}: expected ${expected.join(', ') || 'nothing'}; found ${found.join(', ') || 'nothing'}`,
  );
  return 'failed';
}

test("finds what Istio's analyzers find", { skip: folder === undefined }, () => {
  const failures: string[] = [];
  const count: Record<Verdict, number> = { passed: 0, failed: 0, deviates: 0, skipped: 0 };
  for (const file of readdirSync(join(folder!, 'cases'))) {
    count[judge(JSON.parse(read(join('cases', file)).text) as Case, failures)]++;
  }
  const { passed, failed, deviates, skipped } = count;
  console.log(`${suite}: passed ${passed}, failed ${failed}, deviates ${deviates}, skipped ${skipped}`);
  assert.deepEqual(failures, []);
  assert.ok(passed > 0);
});
