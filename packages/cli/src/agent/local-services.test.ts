import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@heddle/base';
import type { TrustBundle, WorkloadIdentity } from '@heddle/identity';
import { bundleOf, makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import {
  type RpcClient,
  type RpcStatus,
  type RpcStream,
  type RpcStreamHandler,
  RpcCode,
  TypeUrl,
  packAny,
} from '@heddle/xds';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { deltaAdsMethod, sotwAdsMethod } from '@heddle/xds/server';
import { LocalSecrets } from './local-secrets.ts';
import { LocalServices } from './local-services.ts';

const root = makeRoot('cluster.local');
const peer = {
  identity: 'spiffe://cluster.local/ns/default/sa/a',
  remoteAddress: '',
  certificateNotAfter: 0,
};

/** One end of a stream: what was sent, and how it ended. */
class Recorded implements RpcStream {
  readonly sent: Buffer[] = [];
  status: RpcStatus | null = null;
  isRoomy = true;

  send(message: Uint8Array): boolean {
    this.sent.push(Buffer.from(message));
    return this.isRoomy;
  }

  end(status: RpcStatus = { code: RpcCode.ok, message: '' }): void {
    this.status = status;
  }

  cancel(): void {
    this.status = { code: RpcCode.cancelled, message: '' };
  }
}

/** An identity that a test renews. */
class Identity {
  bundle: TrustBundle = bundleOf('cluster.local', root);
  private listener: () => void = () => undefined;
  private leaf = makeLeaf(root, peer.identity);

  get certificate(): WorkloadIdentity['certificate'] {
    const { pem: certificateChain, keyPem: privateKey } = this.leaf;
    return { certificateChain, privateKey } as WorkloadIdentity['certificate'];
  }

  onChange(listener: () => void): () => void {
    this.listener = listener;
    return () => undefined;
  }

  renew(): string {
    this.leaf = makeLeaf(root, peer.identity);
    this.listener();
    return this.leaf.keyPem;
  }
}

/** A local client whose stream is relayed, and the control plane at its other end. */
function relayed(path: string) {
  const identity = new Identity();
  const upstream = new Recorded();
  const client = new Recorded();
  const roots: string[] = [];
  const refused: string[] = [];
  let controlPlane: RpcStreamHandler | null = null;
  const rpc = {
    openStream: (_method: string, handler: RpcStreamHandler) => {
      controlPlane = handler;
      return upstream;
    },
  } as unknown as RpcClient;
  const services = new LocalServices({
    rpc,
    secrets: new LocalSecrets(identity),
    clock: systemClock,
    events: {
      onTrustBundle: (pem) => roots.push(pem),
      onRefused: (typeUrl, reason) => refused.push(`${typeUrl.split('.').at(-1)}: ${reason}`),
    },
  });
  const method = services.methods.get(path);
  assert.ok(method?.kind === 'stream');
  const local = method.open(client, peer);
  assert.ok(controlPlane !== null);
  return {
    identity,
    upstream,
    client,
    roots,
    refused,
    local,
    controlPlane: controlPlane as RpcStreamHandler,
  };
}

const delta = (request: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Uint8Array =>
  DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(request)).finish();
const sotw = (request: Parameters<typeof DiscoveryRequest.fromPartial>[0]): Uint8Array =>
  DiscoveryRequest.encode(DiscoveryRequest.fromPartial(request)).finish();
const node = { id: 'a', metadata: { NAMESPACE: 'default' } };

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe('services of an agent', () => {
  it('passes on what is no secret as it came, and says on both ways who asks', async () => {
    const { local, upstream, client, controlPlane } = relayed(deltaAdsMethod);
    local.onMessage(delta({ node, typeUrl: TypeUrl.secret, resourceNamesSubscribe: ['default'] }));
    await settle();
    assert.deepEqual(upstream.sent, [], 'names of secrets are nobody else’s business');
    assert.equal(DeltaDiscoveryResponse.decode(client.sent[0]!).resources[0]?.name, 'default');
    local.onMessage(delta({ typeUrl: TypeUrl.cluster, resourceNamesSubscribe: ['*'] }));
    const [clusters, roots] = upstream.sent.map((message) => DeltaDiscoveryRequest.decode(message));
    assert.equal(clusters?.typeUrl, TypeUrl.cluster);
    assert.deepEqual(clusters.node?.metadata, node.metadata);
    assert.equal(roots?.typeUrl, TypeUrl.secret);
    assert.deepEqual(roots.resourceNamesSubscribe, ['ROOTCA']);
    assert.equal(roots.node, undefined);
    const answer = DeltaDiscoveryResponse.fromPartial({ typeUrl: TypeUrl.cluster, nonce: 'n' });
    const bytes = Buffer.from(DeltaDiscoveryResponse.encode(answer).finish());
    controlPlane.onMessage(bytes);
    assert.deepEqual(client.sent.at(-1), bytes);
  });

  it('sends a renewed key to who has asked for it, and never to the control plane', async () => {
    const { local, upstream, client, identity } = relayed(sotwAdsMethod);
    local.onMessage(sotw({ node, typeUrl: TypeUrl.cluster }));
    local.onMessage(sotw({ typeUrl: TypeUrl.secret, resourceNames: ['default', 'ROOTCA'] }));
    await settle();
    const { nonce, versionInfo, resources } = DiscoveryResponse.decode(client.sent[0]!);
    assert.equal(resources.length, 2);
    local.onMessage(
      sotw({
        typeUrl: TypeUrl.secret,
        resourceNames: ['default', 'ROOTCA'],
        responseNonce: nonce,
        versionInfo,
      }),
    );
    const key = identity.renew();
    await settle();
    assert.ok(client.sent.at(-1)!.includes(key));
    assert.ok(upstream.sent.every((message) => !message.includes('PRIVATE KEY')));
    assert.equal(upstream.sent.length, 2);
  });

  for (const [name, path] of [
    ['increments', deltaAdsMethod],
    ['the state of the world', sotwAdsMethod],
  ] as const) {
    it(`takes new roots by ${name}, and acknowledges them itself`, () => {
      const { local, upstream, client, controlPlane, roots } = relayed(path);
      const isDelta = path === deltaAdsMethod;
      local.onMessage((isDelta ? delta : sotw)({ node, typeUrl: TypeUrl.cluster }));
      const resource = packAny(TypeUrl.secret, {
        name: 'ROOTCA',
        type: {
          $case: 'validationContext',
          value: { trustedCa: { specifier: { $case: 'inlineString', value: root.pem } } },
        },
      });
      const head = { typeUrl: TypeUrl.secret, nonce: '7' };
      controlPlane.onMessage(
        isDelta
          ? DeltaDiscoveryResponse.encode(
              DeltaDiscoveryResponse.fromPartial({ ...head, resources: [{ name: 'ROOTCA', resource }] }),
            ).finish()
          : DiscoveryResponse.encode(
              DiscoveryResponse.fromPartial({ ...head, resources: [resource] }),
            ).finish(),
      );
      assert.deepEqual(roots, [root.pem]);
      assert.deepEqual(client.sent, []);
      const ack = (isDelta ? DeltaDiscoveryRequest : DiscoveryRequest).decode(upstream.sent.at(-1)!);
      assert.equal(ack.responseNonce, '7');
      assert.equal(ack.errorDetail, undefined);
    });
  }

  it('ends a stream with the control plane’s, so that its client opens another', async () => {
    const { client, controlPlane, local, upstream } = relayed(deltaAdsMethod);
    controlPlane.onEnd({ code: RpcCode.ok, message: '' });
    assert.equal(client.status?.code, RpcCode.unavailable);
    local.onMessage(delta({ node, typeUrl: TypeUrl.cluster }));
    await settle();
    assert.equal(upstream.status?.code, RpcCode.cancelled);
    assert.deepEqual(upstream.sent, []);
  });

  it('cuts off a client that asks and does not read', () => {
    const { client, controlPlane, upstream } = relayed(deltaAdsMethod);
    client.isRoomy = false;
    const resource = packAny(TypeUrl.cluster, { altStatName: 'x'.repeat(4 * 1024 * 1024) });
    const response = DeltaDiscoveryResponse.fromPartial({
      typeUrl: TypeUrl.cluster,
      resources: [{ name: 'c', resource }],
    });
    const bytes = DeltaDiscoveryResponse.encode(response).finish();
    for (let count = 0; count < 8; count++) controlPlane.onMessage(bytes);
    assert.equal(client.status?.code, RpcCode.resourceExhausted);
    assert.equal(client.sent.length, 8);
    assert.equal(upstream.status?.code, RpcCode.cancelled);
  });

  it('says what was refused, and ends what is no request', () => {
    const { local, refused, client } = relayed(sotwAdsMethod);
    const errorDetail = { code: 3, message: 'no such filter' };
    local.onMessage(sotw({ node, typeUrl: TypeUrl.listener, responseNonce: '1', errorDetail }));
    assert.deepEqual(refused, ['Listener: no such filter']);
    local.onMessage(Buffer.from([0x12, 0x7f]));
    assert.equal(client.status?.code, RpcCode.invalidArgument);
  });
});
