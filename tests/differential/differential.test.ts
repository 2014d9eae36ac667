// Real Envoy and `heddle proxy` on the same configuration and the same bytes (design D11): what the upstream saw, what the
// client got and the counters that moved must agree. A difference is a bug, or stands in differences.ts with its reason.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { skipWithout, temporaryDirectory } from '@heddle/testkit';
import { cases, casesOf } from './cases.ts';
import { type Difference, differences, withoutOwnWords } from './differences.ts';
import { setupNames } from './setups.ts';
import type { DifferentialCase, Observation } from './support/case.ts';
import { linesOnlyIn, observationLines } from './support/observation-lines.ts';
import { makeCertificates } from './support/certificates.ts';
import { envoy, openssl, ourProgram, theirProgram } from './support/programs.ts';
import { Side } from './support/side.ts';

/** Cases to run, by a part of their name or setup; all where the variable is not set. */
const wanted = process.env['HEDDLE_DIFFERENTIAL'] ?? '';

function isWanted(one: DifferentialCase): boolean {
  return `${one.setup ?? 'plain'}: ${one.name}`.includes(wanted);
}

function differenceOf(one: DifferentialCase): Difference | undefined {
  return differences.find(({ name }) => name === one.name);
}

function compare(one: DifferentialCase, ours: Observation, theirs: Observation): void {
  const difference = differenceOf(one);
  const our = observationLines(withoutOwnWords(ours));
  const their = observationLines(withoutOwnWords(theirs));
  const found = { ours: linesOnlyIn(our, their), theirs: linesOnlyIn(their, our) };
  assert.deepEqual(found, { ours: difference?.ours ?? [], theirs: difference?.theirs ?? [] });
  if (difference === undefined)
    assert.deepEqual(theirs.counters, one.counters, 'the counters that the case names');
}

describe('real Envoy and heddle proxy', { skip: skipWithout({ envoy, openssl }) }, async () => {
  const directory = await temporaryDirectory();
  after(() => directory[Symbol.asyncDispose]());
  const certificates = await makeCertificates(openssl!, directory.path);

  for (const setup of setupNames) {
    const chosen = casesOf(setup).filter(isWanted);
    if (chosen.length === 0) continue;
    test(`setup ${setup}`, async (t) => {
      const theirs = await Side.start(theirProgram, setup, directory.path, certificates);
      try {
        const ours = await Side.start(ourProgram, setup, directory.path, certificates);
        try {
          for (const one of chosen) {
            await t.test(`${one.rule}: ${one.name}`, async () => {
              const [our, their] = await Promise.all([ours.observe(one), theirs.observe(one)]);
              compare(one, our, their);
            });
          }
        } finally {
          await ours.close();
        }
      } finally {
        await theirs.close();
      }
    });
  }

  test('the table is complete: names are unique, every difference belongs to a case', () => {
    const names = cases.map(({ name, setup }) => `${setup ?? 'plain'}: ${name}`);
    assert.equal(new Set(names).size, names.length);
    assert.ok(cases.length >= 150, `${cases.length} cases`);
    const strangers = differences.filter((difference) => !cases.some(({ name }) => name === difference.name));
    assert.deepEqual(strangers, []);
  });
});
