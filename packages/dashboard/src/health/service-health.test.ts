import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorShare, judgeService } from './service-health.ts';

test('degrades with the first error and fails from ten per cent on', () => {
  assert.equal(judgeService(2, 100, 0), 'healthy');
  assert.equal(judgeService(2, 100, 0.05), 'degraded');
  assert.equal(judgeService(2, 100, 9.9), 'degraded');
  assert.equal(judgeService(2, 100, 10), 'failing');
});

test('tells a service without requests from one without instances', () => {
  assert.equal(judgeService(1, 0, 0), 'idle');
  assert.equal(judgeService(0, 0, 0), 'absent');
  assert.equal(judgeService(0, 3, 0), 'failing');
});

test('keeps the share of errors between nothing and all', () => {
  assert.equal(errorShare(0, 0), 0);
  assert.equal(errorShare(0, 2), 0);
  assert.equal(errorShare(1, 3), 1);
  assert.equal(errorShare(8, 2), 0.25);
});
