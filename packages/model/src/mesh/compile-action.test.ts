import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service, to, virtualService } from '../testing/objects.ts';
import { compileMesh, viewOf } from './mesh-compiler.ts';
import type { ForwardAction, RouteRule } from './route-model.ts';

const host = 'reviews.default.svc.cluster.local';

function rulesOf(...http: readonly object[]): readonly RouteRule[] {
  const model = compileMesh({
    objects: [virtualService('reviews', { hosts: ['reviews'], http })],
    services: [service('reviews', 9080), service('ratings', 8080)],
  });
  return viewOf(model.hosts.get(host)!, 'default').ports[0]!.rules;
}

function forwardOf(rule: object): ForwardAction {
  const action = rulesOf({ route: to('reviews'), ...rule })[0]?.action;
  return action?.kind === 'forward' ? action : assert.fail('no forward');
}

test('redirects: where to, with which status, 301 unless told otherwise', () => {
  const [whole, prefix, port] = rulesOf(
    { match: [{ uri: { exact: '/a' } }], redirect: { uri: '/b', authority: 'b.example', scheme: 'https' } },
    { match: [{ uri: { prefix: '/c' } }], redirect: { prefixRewrite: '/d', port: 8080, redirectCode: 307 } },
    { redirect: { authority: 'e', derivePort: 'FROM_REQUEST_PORT' } },
  );
  const nothing = { kind: 'redirect', scheme: null, host: null, port: null, path: null };
  assert.deepEqual(whole?.action, {
    ...nothing,
    status: 301,
    scheme: 'https',
    host: 'b.example',
    path: { kind: 'full', value: '/b' },
  });
  assert.deepEqual(prefix?.action, {
    ...nothing,
    status: 307,
    port: 8080,
    path: { kind: 'replace', value: '/d' },
  });
  assert.deepEqual(port?.action, { ...nothing, status: 301, host: 'e', port: 9080 });
});

test('answers itself, with text or bytes', () => {
  const [text, bytes, empty] = rulesOf(
    { match: [{ uri: { exact: '/a' } }], directResponse: { status: 418, body: { string: 'teapot' } } },
    { match: [{ uri: { exact: '/b' } }], directResponse: { status: 200, body: { bytes: 'AAE=' } } },
    { directResponse: { status: 404 } },
  );
  assert.deepEqual(text?.action, {
    kind: 'direct-response',
    status: 418,
    body: { encoding: 'text', value: 'teapot' },
  });
  assert.deepEqual(bytes?.action.kind === 'direct-response' && bytes.action.body, {
    encoding: 'base64',
    value: 'AAE=',
  });
  assert.deepEqual(empty?.action, { kind: 'direct-response', status: 404, body: null });
});

test('rewrites paths and authorities; a destination may have an authority of its own', () => {
  assert.deepEqual(forwardOf({ rewrite: { uri: '/x', authority: 'y' } }).path, {
    kind: 'replace',
    value: '/x',
  });
  assert.equal(forwardOf({ rewrite: { uri: '/x', authority: 'y' } }).authority, 'y');
  assert.deepEqual(forwardOf({ rewrite: { uriRegexRewrite: { match: '^/a/(.*)', rewrite: '/\\1' } } }).path, {
    kind: 'regex',
    pattern: '^/a/(.*)',
    substitution: '/\\1',
  });
  const headers = { request: { set: { Host: 'z', a: '1' } } };
  const action = forwardOf({ route: [{ destination: { host: 'reviews' }, headers }] });
  assert.equal(action.destinations[0]?.authority, 'z');
  assert.deepEqual(action.destinations[0].headers, {
    request: { set: [['a', '1']], add: [], remove: [] },
    response: null,
  });
});

test('changes headers of requests and responses, but for those that frame a message', () => {
  const [rule] = rulesOf({
    route: to('reviews'),
    headers: {
      request: { add: { a: '1' }, remove: ['b', 'te'] },
      response: { set: { 'content-length': '0' } },
    },
  });
  assert.deepEqual(rule?.headers, { request: { set: [], add: [['a', '1']], remove: ['b'] }, response: null });
});

test('retries as Istio does', () => {
  assert.equal(forwardOf({}).retries, null);
  assert.equal(forwardOf({ retries: { attempts: 0 } }).retries?.attempts, 0);
  assert.deepEqual(forwardOf({ retries: { attempts: 3, perTryTimeout: '2s' } }).retries, {
    attempts: 3,
    retryOn: 'connect-failure,refused-stream,unavailable,cancelled',
    statusCodes: [],
    perTryTimeoutMs: 2000,
    backoffMs: 0,
    avoidsPreviousHosts: true,
  });
  const { retryOn, statusCodes, avoidsPreviousHosts } = forwardOf({
    retries: { attempts: 1, retryOn: 'reset, 503,429', retryIgnorePreviousHosts: false },
  }).retries!;
  assert.deepEqual(
    [retryOn, statusCodes, avoidsPreviousHosts],
    ['reset,retriable-status-codes', [503, 429], false],
  );
});

test('mirrors, everything unless told otherwise', () => {
  const destination = { host: 'ratings.default.svc.cluster.local', port: 8080, subset: '' };
  assert.deepEqual(forwardOf({ mirror: { host: 'ratings' } }).mirrors, [{ destination, percent: 100 }]);
  assert.deepEqual(forwardOf({ mirror: { host: 'ratings' }, mirrorPercentage: { value: 0.5 } }).mirrors, [
    { destination, percent: 0.5 },
  ]);
  assert.deepEqual(forwardOf({ mirror: { host: 'ratings' }, mirrorPercentage: {} }).mirrors, []);
  assert.deepEqual(
    forwardOf({
      mirrors: [
        { destination: { host: 'ratings', subset: 'v1' }, percentage: { value: 10 } },
        { destination: { host: 'reviews' } },
      ],
    }).mirrors,
    [
      { destination: { ...destination, subset: 'v1' }, percent: 10 },
      { destination: { host, port: 9080, subset: '' }, percent: 100 },
    ],
  );
});
