// With any one rule of HTTP/1.1 switched off, a case of tests/wire fails: no rule is held by luck.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runChild } from '@heddle/testkit';
import { switchedOffRules } from './support/switched-off-rules.ts';

const root = join(import.meta.dirname, '..', '..');
const parameters = [
  ...['--import', join(import.meta.dirname, 'support/switch-rule-off.ts')],
  ...['--test', '--test-isolation=none', '--test-timeout=30000', 'tests/wire/rules.test.ts'],
];

async function runWithout(index: string): Promise<string> {
  const environment = { HEDDLE_RULE_OFF: index };
  const child = await runChild(
    process.execPath,
    { directory: root, arguments: parameters, environment },
    60_000,
  );
  return child.exit?.code === 0 ? '' : child.output;
}

describe('the rules of HTTP/1.1', () => {
  test('are all kept while none is switched off', async () => {
    assert.equal(await runWithout('none'), '');
  });

  for (const [index, { rule, from }] of switchedOffRules.entries()) {
    test(`rule ${rule} is missed without ${JSON.stringify(from)}`, async () => {
      const output = await runWithout(String(index));
      assert.match(output, new RegExp(`✖ rule ${rule}: `), output.slice(-2000));
    });
  }

  test('are all among those switched off', () => {
    const rules = new Set(switchedOffRules.map(({ rule }) => rule));
    const missing = Array.from({ length: 32 }, (_, index) => index + 1).filter((rule) => !rules.has(rule));
    assert.deepEqual(missing, []);
  });
});
