import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileMesh, parseManifests, type MeshModel } from '@heddle/model';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import type { Route, RouteAction } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { anyone } from '../testing/any-client.ts';
import { RouteResources } from './route-resources.ts';

function model(http: string): MeshModel {
  const text = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: x}
spec:
  hosts: [web]
  http:
${http}`;
  const { objects, problems } = parseManifests([{ name: 'x', text }], { namespace: 'default' });
  assert.deepEqual(problems, []);
  const host = 'web.default.svc.cluster.local';
  return compileMesh({
    objects: objects.map(({ object }) => ({ object, createdRevision: 1 })),
    services: [{ name: 'web', namespace: 'default', host, ports: [{ number: 80, protocol: 'http' }] }],
  });
}

function routes(http: string, labels: Record<string, string> = {}): Route[] {
  const name = 'upstream|web.default.svc.cluster.local|80|default';
  const resource = new RouteResources(model(http)).get(name, anyone('default', labels)) ?? assert.fail();
  const any = Resource.decode(resource.bytes).resource ?? assert.fail();
  const unpacked = unpackAny(any, TypeUrl.routeConfiguration);
  return unpacked.ok ? (unpacked.value.virtualHosts[0]?.routes ?? []) : assert.fail(unpacked.error);
}

function forward(http: string): RouteAction {
  const action = routes(http)[0]?.action;
  return action?.$case === 'route' ? action.value : assert.fail('no route');
}

const route = 'route: [{destination: {host: web}}]';

describe('conditions of routes', () => {
  it('compares by regular expression, scheme and without regard to case', () => {
    const [first, second] = routes(`
  - match: [{uri: {regex: "/v[0-9]+"}, scheme: {exact: https}, headers: {a: {regex: "b+"}}}]
    ${route}
  - match: [{uri: {exact: /A}, ignoreUriCase: true}]
    ${route}`);
    assert.deepEqual(first?.match?.pathSpecifier?.$case, 'safeRegex');
    assert.deepEqual(
      first.match.headers.map(({ name, headerMatchSpecifier }) => [
        name,
        headerMatchSpecifier?.$case === 'stringMatch' && headerMatchSpecifier.value.matchPattern?.$case,
      ]),
      [
        [':scheme', 'exact'],
        ['a', 'safeRegex'],
      ],
    );
    assert.deepEqual(second?.match?.caseSensitive, false);
  });

  it('gives clients the rules for their labels, and nobody is asked for labels in between', () => {
    const http = `
  - name: canary
    match: [{sourceLabels: {app: web}}]
    ${route}
  - name: rest
    ${route}`;
    assert.deepEqual(
      routes(http, { app: 'web', x: 'y' }).map(({ name }) => name),
      ['canary', 'rest'],
    );
    assert.deepEqual(
      routes(http, { app: 'other' }).map(({ name }) => name),
      ['rest'],
    );
    const only = `
  - name: canary
    match: [{sourceLabels: {app: web}}]
    ${route}`;
    assert.deepEqual(
      routes(only).map(({ name }) => name),
      ['default'],
    );
  });

  it('gives clients that no rule tells apart one and the same object', () => {
    const resources = new RouteResources(
      model(`
  - match: [{sourceLabels: {app: web}}]
    ${route}`),
    );
    const get = (labels: Record<string, string>) =>
      resources.get('http-proxy|default', anyone('default', labels));
    assert.equal(get({ app: 'a', x: '1' }), get({ app: 'a', x: '2' }));
    assert.notEqual(get({ app: 'a' })?.version, get({ app: 'web' })?.version);
  });
});

describe('actions of routes', () => {
  it('redirects and answers', () => {
    const [moved, answered] = routes(`
  - match: [{uri: {prefix: /a}}]
    redirect: {prefixRewrite: /b, authority: c, scheme: https, redirectCode: 308}
  - directResponse: {status: 503, body: {string: closed}}`);
    assert.ok(moved?.action?.$case === 'redirect' && answered?.action?.$case === 'directResponse');
    const { hostRedirect, responseCode, pathRewriteSpecifier, schemeRewriteSpecifier } = moved.action.value;
    assert.deepEqual(
      [hostRedirect, responseCode, pathRewriteSpecifier?.value, schemeRewriteSpecifier?.value],
      ['c', 4, '/b', 'https'],
    );
    assert.deepEqual(answered.action.value.status, 503);
    assert.deepEqual(answered.action.value.body?.specifier, { $case: 'inlineString', value: 'closed' });
  });

  it('rewrites, mirrors and tries again', () => {
    const action = forward(`
  - ${route}
    rewrite: {uri: /x, authority: y}
    mirror: {host: shadow.example}
    mirrorPercentage: {value: 0.25}
    retries: {attempts: 4, retryOn: "5xx,429", perTryTimeout: 1.5s, backoff: 10ms}`);
    assert.equal(action.prefixRewrite, '/x');
    assert.deepEqual(action.hostRewriteSpecifier, { $case: 'hostRewriteLiteral', value: 'y' });
    const [mirror] = action.requestMirrorPolicies;
    assert.equal(mirror?.cluster, 'outbound|80||shadow.example');
    assert.deepEqual(mirror.runtimeFraction?.defaultValue?.numerator, 2500);
    const policy = action.retryPolicy;
    assert.deepEqual(
      [policy?.numRetries, policy?.retryOn, policy?.retriableStatusCodes],
      [4, '5xx,retriable-status-codes', [429]],
    );
    assert.deepEqual([policy?.perTryTimeout?.seconds, policy?.perTryTimeout?.nanos], [1, 500_000_000]);
    assert.equal(policy?.retryHostPredicate.length, 1);
  });

  it('switches retries off', () => {
    const { retryPolicy } = forward(`
  - ${route}
    retries: {attempts: 0}`);
    assert.deepEqual([retryPolicy?.retryOn, retryPolicy?.numRetries], ['', 0]);
  });

  it('changes headers for all requests of a rule, and for those of a destination', () => {
    const http = `
  - headers: {request: {set: {a: "1"}, remove: [b]}, response: {add: {c: "%REQ(d)%"}}}
    route: [{destination: {host: web}, headers: {request: {set: {host: e, f: "2"}}}}]`;
    const [found] = routes(http);
    assert.deepEqual(
      found?.requestHeadersToAdd.map(({ header, appendAction }) => [
        header?.key,
        header?.value,
        appendAction,
      ]),
      [['a', '1', 2]],
    );
    assert.deepEqual([found.requestHeadersToRemove, found.responseHeadersToAdd.length], [['b'], 1]);
    const specifier = forward(http).clusterSpecifier;
    assert.ok(specifier?.$case === 'weightedClusters');
    const [cluster] = specifier.value.clusters;
    assert.deepEqual(cluster?.hostRewriteSpecifier?.value, 'e');
    assert.deepEqual(cluster.requestHeadersToAdd[0]?.header?.key, 'f');
  });
});
