import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RpcMethod, RpcCode, TypeUrl } from '@heddle/xds';
import { Node } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  ClientStatusRequest,
  ClientStatusResponse,
  ConfigStatus,
} from '@heddle/xds/api/envoy/service/status/v3/csds.ts';
import { makeMeshWorld, type MeshWorld } from '../testing/mesh-world.ts';
import { clientStatusService } from './client-status-service.ts';

const service = '/envoy.service.status.v3.ClientStatusDiscoveryService/';
const own = 'spiffe://cluster.local/ns/default/sa/reviews';
const operator = 'spiffe://cluster.local/ns/heddle-system/sa/operator';

type Request = Parameters<typeof ClientStatusRequest.fromPartial>[0];

const encode = (request: Request): Uint8Array =>
  ClientStatusRequest.encode(ClientStatusRequest.fromPartial(request)).finish();

async function answerOf(method: RpcMethod | undefined, identity: string, request: Request) {
  assert.ok(method?.kind === 'unary');
  const peer = { identity, remoteAddress: '', certificateNotAfter: 0 };
  const { status, message } = await method.handle(encode(request), peer);
  return { code: status.code, configs: ClientStatusResponse.decode(message).config };
}

const ask = (world: MeshWorld, identity: string, request: Request) =>
  answerOf(world.controlPlane.methods.get(`${service}FetchClientStatus`), identity, request);

const part = (value: string) => ({ nodeId: { matchPattern: { $case: 'contains' as const, value } } });

test('says what each client has, to those whom it concerns', async () => {
  const world = await makeMeshWorld();
  const reviews = world.connect({ instance: 'reviews-1', service: 'reviews' });
  world.connect({ instance: 'ratings-1', service: 'ratings' });
  reviews.publish();
  await world.settle();
  const all = await ask(world, operator, {});
  assert.deepEqual(all.configs.map(({ node }) => String(node?.cluster)).sort(), [
    'ratings.default',
    'reviews.default',
  ]);
  const mine = await ask(world, own, { excludeResourceContents: true });
  assert.equal(mine.configs.length, 1, 'nobody else’s');
  const cluster = 'outbound|9080||reviews.default.svc.cluster.local';
  const found = (configs: typeof mine.configs, typeUrl: string) =>
    configs[0]?.genericXdsConfigs.find((config) => config.name === cluster && config.typeUrl === typeUrl);
  const synced = found(mine.configs, TypeUrl.cluster);
  assert.equal(synced?.configStatus, ConfigStatus.SYNCED);
  assert.equal(synced.xdsConfig, undefined);

  // Answers are held back: what changes is on its way.
  reviews.isMute = true;
  world.connect({ instance: 'reviews-2', service: 'reviews' }).publish();
  await world.settle();
  const stale = await ask(world, own, { nodeMatchers: [part('reviews-1')] });
  assert.equal(stale.configs.length, 1);
  const endpoints = found(stale.configs, TypeUrl.clusterLoadAssignment);
  assert.equal(endpoints?.configStatus, ConfigStatus.STALE);
  assert.equal(endpoints.xdsConfig?.typeUrl, TypeUrl.clusterLoadAssignment);
  const regex = { nodeId: { matchPattern: { $case: 'safeRegex' as const, value: { regex: '.*' } } } };
  assert.equal((await ask(world, own, { nodeMatchers: [regex] })).code, RpcCode.invalidArgument);
});

test('says of what is refused why, in the client’s words', async () => {
  const refusal = { reason: 'no such filter', at: 1500 };
  const resources = [{ typeUrl: TypeUrl.listener, name: 'inbound', state: 'refused' as const, refusal }];
  const client = { node: Node.fromPartial({ id: 'a' }), peer: { identity: own } };
  const [fetch] = clientStatusService({
    ads: {
      *clients() {
        yield { client, resources } as never;
      },
    },
    source: { get: () => undefined },
  });
  const { configs } = await answerOf(fetch?.[1], own, {});
  const [config] = configs[0]!.genericXdsConfigs;
  assert.equal(config?.configStatus, ConfigStatus.ERROR);
  const { details, lastUpdateAttempt } = config.errorState ?? assert.fail();
  assert.deepEqual(
    [details, lastUpdateAttempt?.seconds, lastUpdateAttempt?.nanos],
    ['no such filter', 1, 500_000_000],
  );
});

test('a stream is answered once for each request', async () => {
  const world = await makeMeshWorld();
  world.connect({ instance: 'reviews-1', service: 'reviews' });
  await world.settle();
  const answers: (number | string)[] = [];
  const stream = world.rpc(own).openStream(`${service}StreamClientStatus`, {
    onMessage: (message) => answers.push(ClientStatusResponse.decode(message).config.length),
    onHalfClose: () => undefined,
    onWritable: () => undefined,
    onEnd: ({ code }) => answers.push(`end ${code}`),
  });
  stream.send(encode({}));
  stream.send(encode({ nodeMatchers: [part('nobody')] }));
  stream.end();
  await world.settle();
  assert.deepEqual(answers, [1, 0, 'end 0']);
});
