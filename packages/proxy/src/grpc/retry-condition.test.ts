import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grpcRetryCondition, grpcRetryConditions, isRetriedStatus } from './retry-condition.ts';

test('each condition is for one status', () => {
  const retried: Readonly<Record<string, string>> = {
    cancelled: '1',
    'deadline-exceeded': '4',
    'resource-exhausted': '8',
    internal: '13',
    unavailable: '14',
  };
  assert.deepEqual(grpcRetryConditions.toSorted(), Object.keys(retried).toSorted());
  for (const word of grpcRetryConditions) {
    for (let code = 0; code <= 50; code++) {
      const expected = String(code) === retried[word];
      assert.equal(isRetriedStatus(grpcRetryCondition(word), String(code)), expected, `${word} ${code}`);
    }
  }
});

test('words that are no conditions of gRPC’s add nothing', () => {
  for (const word of ['', '5xx', 'Unavailable', 'constructor'])
    assert.equal(grpcRetryCondition(word), 0, word);
  assert.ok(!isRetriedStatus(0, '14'));
});

test('a head without a status is not retried for one', () => {
  const retried = grpcRetryCondition('unavailable');
  assert.ok(!isRetriedStatus(retried, null));
  assert.ok(!isRetriedStatus(retried, ''));
  assert.ok(!isRetriedStatus(retried, 'unavailable'));
});
