import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostCache } from './host-cache.ts';

test('what is asked for stays, however many others come', () => {
  const cache = new HostCache<string>();
  cache.set('hot', 'entry');
  for (let i = 0; i < 5000; i++) {
    cache.set(`h${i}`, null);
    if (i % 100 === 0) assert.equal(cache.get('hot'), 'entry');
  }
  assert.equal(cache.get('h0'), undefined);
  assert.equal(cache.get('h4999'), null);
});

test('names that are too long are not kept', () => {
  const cache = new HostCache<string>();
  cache.set('x'.repeat(256), 'entry');
  assert.equal(cache.get('x'.repeat(256)), undefined);
});
