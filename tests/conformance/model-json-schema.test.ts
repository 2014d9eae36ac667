// The JSON Schemas that are given to others say what our own validation says, as far as JSON Schema can.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { kinds, objectSchema, parseManifests } from '@heddle/model';
import { firstFlaw } from '@heddle/testkit';
import { suiteFolder } from './model-data.ts';

const folder = suiteFolder('istio-crd-validation');

interface Case {
  readonly id: string;
  readonly yaml: string;
}

/** Of the documents that we refuse, those that only rules between fields refuse, which JSON Schema can't say. */
const maxUnsaid = 0.5;

test(
  "the generated JSON Schemas agree with our verdicts on Istio's cases",
  { skip: folder === undefined },
  () => {
    const cases = JSON.parse(readFileSync(join(folder!, 'cases.json'), 'utf8')) as readonly Case[];
    let accepted = 0;
    let refused = 0;
    let unsaid = 0;
    for (const { id, yaml } of cases) {
      const object = parse(yaml) as { apiVersion: string; kind: string };
      const group = object.apiVersion.split('/')[0];
      const info = kinds.find((one) => one.kind === object.kind && one.group === group);
      if (info === undefined) continue;
      const flaw = firstFlaw(objectSchema(info), object);
      const { objects } = parseManifests([{ name: id, text: yaml }], { namespace: 'default' });
      if (objects.length === 1) {
        assert.equal(flaw, null, `${id}: we take it, and the JSON Schema refuses it: ${flaw}`);
        accepted++;
      } else if (flaw === null) unsaid++;
      else refused++;
    }
    console.log(
      `json-schema: ${accepted} accepted and ${refused} refused by both, ${unsaid} refused by rules that it can't say`,
    );
    assert.ok(accepted > 0 && refused > 0);
    assert.ok(
      unsaid / (refused + unsaid) <= maxUnsaid,
      `${unsaid} of ${refused + unsaid} refusals are not in it`,
    );
  },
);
