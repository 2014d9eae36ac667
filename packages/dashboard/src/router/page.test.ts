import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hrefOf, parseLocation, tokenInFragment, type Page } from './page.ts';

test('leads back to the page that an address was made for', () => {
  const pages: Page[] = [
    { name: 'services' },
    { name: 'service', namespace: 'shop', service: 'reviews' },
    { name: 'service', namespace: 'a/b', service: 'c?d#e %' },
    { name: 'instances' },
    { name: 'certificates' },
    { name: 'configuration' },
    { name: 'object', plural: 'destinationrules', namespace: 'shop', object: 'reviews' },
    { name: 'about' },
  ];
  for (const page of pages) assert.deepEqual(parseLocation(hrefOf(page, 'a&b c')), { page, filter: 'a&b c' });
});

test('shows the services where an address asks for nothing', () => {
  for (const hash of ['', '#', '#/', '#/services', '#/services/']) {
    assert.deepEqual(parseLocation(hash), { page: { name: 'services' }, filter: '' }, hash);
  }
});

test('finds no page for an address that is not one', () => {
  for (const path of [
    '/elsewhere',
    '/services/only',
    '/services/a/b/c',
    '/configuration/pods/a/b',
    '/configuration/virtualservices/a/b/c',
    '/about/x',
    '/%',
  ]) {
    assert.deepEqual(parseLocation(`#${path}`).page, { name: 'not-found', path });
  }
});

test('finds a token only where the fragment is one', () => {
  assert.equal(tokenInFragment('#token=hd%2Bx_1'), 'hd+x_1');
  assert.equal(tokenInFragment('#/services?q=token=a'), null);
  assert.equal(tokenInFragment(''), null);
});
