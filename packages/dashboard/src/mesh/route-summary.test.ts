import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarizeRoutes } from './route-summary.ts';

const to = (subset: string, weight?: number): object => ({
  destination: { host: 'reviews', subset },
  ...(weight === undefined ? {} : { weight }),
});

const shares = (...route: object[]): number[] =>
  summarizeRoutes({ http: [{ route }] }).flatMap((summary) => summary.destinations.map(({ share }) => share));

test('splits requests as the weights say', () => {
  assert.deepEqual(shares(to('v1', 80), to('v2', 20)), [0.8, 0.2]);
  assert.deepEqual(shares(to('v1', 1), to('v2', 3)), [0.25, 0.75]);
  assert.deepEqual(shares(to('v1')), [1]);
  assert.deepEqual(shares(to('v1', 5), to('v2')), [1, 0]);
});

test('says conditions in words, alternatives apart', () => {
  const [route] = summarizeRoutes({
    http: [
      {
        name: 'testers',
        match: [
          { uri: { prefix: '/api' }, headers: { 'end-user': { exact: 'jason' }, 'x-debug': {} } },
          {
            method: { regex: 'GET|HEAD' },
            queryParams: { a: { exact: '1' } },
            withoutHeaders: { b: {} },
            port: 80,
          },
          { sourceLabels: { app: 'x' }, sourceNamespace: 'shop' },
        ],
        route: [to('v2')],
      },
    ],
  });
  assert.equal(route?.name, 'testers');
  assert.deepEqual(route?.matches, [
    ['path starts with /api', 'header end-user = jason', 'header x-debug is present'],
    ['method matches GET|HEAD', 'not header b is present', 'query a = 1', 'port = 80'],
    ['from namespace shop', 'from app=x'],
  ]);
});

test('names what a route does besides', () => {
  const [route] = summarizeRoutes({
    http: [
      {
        route: [{ destination: { host: 'a', port: { number: 8080 } } }],
        timeout: '5s',
        retries: { attempts: 3 },
        fault: { delay: {}, abort: {} },
        mirror: { host: 'shadow' },
      },
    ],
  });
  assert.deepEqual(route?.actions, [
    'timeout 5s',
    '3 retries',
    'injects a delay',
    'injects failures',
    'mirrors to shadow',
  ]);
  assert.deepEqual(route?.destinations, [{ host: 'a', subset: '', port: 8080, share: 1 }]);
});

test('reads a spec without HTTP routes, or with nonsense, as none', () => {
  assert.deepEqual(summarizeRoutes({}), []);
  assert.deepEqual(summarizeRoutes({ http: ['x'] }), [
    { name: '', matches: [], destinations: [], actions: [] },
  ]);
});
