import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectLocation } from './path-rewrite.ts';

const noRedirect = {
  status: 301,
  scheme: null,
  host: null,
  port: null,
  keepsPort: false,
  path: null,
  pathRewrite: null,
  stripsQuery: false,
};
const locations: readonly [string, Partial<Parameters<typeof redirectLocation>[0]>, string, string][] = [
  ['scheme, default port dropped', { scheme: 'https' }, 'shop:80', 'https://shop/a?b'],
  ['scheme, other port kept', { scheme: 'https' }, 'shop:8080', 'https://shop:8080/a?b'],
  ['scheme, every port kept', { scheme: 'https', keepsPort: true }, 'shop:80', 'https://shop:80/a?b'],
  ['host, without the port of the old one', { host: 'new' }, 'shop:8080', 'http://new/a?b'],
  ['port', { port: 81 }, 'shop:8080', 'http://shop:81/a?b'],
  ['port of an IPv6 address', { port: 81 }, '[::1]:80', 'http://[::1]:81/a?b'],
  ['path', { path: '/x' }, 'shop', 'http://shop/x?b'],
  ['path with a query of its own', { path: '/x?y' }, 'shop', 'http://shop/x?y'],
  ['without query', { stripsQuery: true }, 'shop', 'http://shop/a'],
];
for (const [name, fields, authority, location] of locations) {
  test(`redirects: ${name}`, () => {
    assert.equal(redirectLocation({ ...noRedirect, ...fields }, 'http', authority, '/a?b'), location);
  });
}
