import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostRules, normalizedHost } from './host-normalization.ts';

const matching: HostRules = { stripsPort: 'matching', stripsDot: false };
const any: HostRules = { stripsPort: 'any', stripsDot: false };
const dot: HostRules = { stripsPort: 'none', stripsDot: true };
const both: HostRules = { stripsPort: 'any', stripsDot: true };

// As Envoy 1.40 forwards them over a listener on port 8080.
const cases: readonly (readonly [HostRules, string, string])[] = [
  [matching, 'a:8080', 'a'],
  [matching, 'a:80', 'a:80'],
  [matching, 'a', 'a'],
  [matching, 'a.:8080', 'a.'],
  [matching, '[::1]:8080', '[::1]'],
  [matching, '[::1]', '[::1]'],
  [any, 'a:80', 'a'],
  [any, '[::1]:80', '[::1]'],
  [any, '[::1]', '[::1]'],
  [any, 'a.', 'a.'],
  [any, 'a:', 'a:'],
  [dot, 'a.', 'a'],
  [dot, 'a.:80', 'a:80'],
  [dot, 'a..', 'a.'],
  [dot, 'a', 'a'],
  [dot, '[::1]', '[::1]'],
  [both, 'a.:80', 'a'],
  // Nothing would be left: Envoy forwards an empty host.
  [dot, '.', '.'],
];
for (const [rules, host, expected] of cases) {
  test(`strips ${rules.stripsPort} port${rules.stripsDot ? ' and dot' : ''}: ${host} → ${expected}`, () => {
    assert.equal(normalizedHost(host, 8080, false, rules), expected);
  });
}

test('the target of CONNECT keeps a port that is not ours', () => {
  assert.equal(normalizedHost('a:443', 8080, true, any), 'a:443');
});
