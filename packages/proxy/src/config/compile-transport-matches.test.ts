import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeepPartial, encodeMessage, type MessageOf, packAny, TypeUrl } from '@heddle/xds';
import { transportFor } from '../cluster/transport-match.ts';
import { compileCluster } from './compile-cluster.ts';
import { ProblemList } from './problem-list.ts';
import { decodeResource } from './unpack-config.ts';

type Socket = NonNullable<DeepPartial<MessageOf<typeof TypeUrl.cluster>>['transportSocket']>;

const plain: Socket = {
  name: 'envoy.transport_sockets.raw_buffer',
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.rawBuffer, {}) },
};
const withHeader: Socket = {
  name: 'envoy.transport_sockets.upstream_proxy_protocol',
  configType: {
    $case: 'typedConfig',
    value: packAny(TypeUrl.upstreamProxyProtocol, { transportSocket: plain }),
  },
};

function compile(match: object | undefined, socket: Socket) {
  const problems = new ProblemList();
  const transportSocketMatches = [{ name: 'm', transportSocket: socket, ...(match ? { match } : {}) }];
  const bytes = encodeMessage(TypeUrl.cluster, { name: 'c', loadAssignment: {}, transportSocketMatches });
  const message = decodeResource(TypeUrl.cluster, bytes, problems);
  const { transportMatches } = compileCluster(message ?? assert.fail(), problems).config;
  return { transportMatches, problems: problems.problems.map(({ path }) => path) };
}

test('an endpoint that is marked so is connected to in the clear, others as the cluster says', () => {
  const { transportMatches, problems } = compile({ tlsMode: 'disabled' }, plain);
  assert.deepEqual(problems, []);
  const usual = { sni: 'usual' } as never;
  assert.equal(transportFor(transportMatches, { tlsMode: 'disabled', tunnel: 'none' }, usual), null);
  assert.equal(transportFor(transportMatches, { tlsMode: 'istio' }, usual), usual);
  assert.equal(transportFor(transportMatches, null, usual), usual);
  assert.equal(transportFor(undefined, { tlsMode: 'disabled' }, usual), usual);
});

test('what asks for nothing fits every endpoint', () => {
  const { transportMatches } = compile(undefined, plain);
  assert.equal(transportFor(transportMatches, null, {} as never), null);
});

test('refuses the PROXY protocol for some endpoints only', () => {
  assert.deepEqual(compile({ a: 'b' }, withHeader).problems, [
    'transport_socket_matches[0].transport_socket',
  ]);
});
