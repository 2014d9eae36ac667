import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from './nearest-name.ts';

test('suggests the name that was probably meant', () => {
  const known = ['weight', 'destination', 'headers', 'host'];
  assert.equal(nearestName('wieght', known), 'weight');
  assert.equal(nearestName('hots', known), 'host');
  assert.equal(nearestName('Destinaton', known), 'destination');
});

test('suggests nothing for a name that resembles none', () => {
  assert.equal(nearestName('frobnicate', ['weight', 'host']), undefined);
  assert.equal(nearestName('to', ['host']), undefined);
  assert.equal(nearestName('help', ['demo', 'up']), undefined);
  assert.equal(nearestName('a', ['b']), undefined, 'every letter differs');
});

test('measures by the shorter name', () => {
  assert.equal(nearestName('rating', ['ra']), undefined);
  assert.equal(nearestName('prot', ['port', 'proxy-port']), 'port');
});
