import assert from 'node:assert/strict';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../generated/envoy/service/discovery/v3/discovery.ts';
import type { DeepPartial } from '../message-types.ts';
import type { RpcPeer, RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { deltaAdsMethod, type DeltaServer } from '../server/delta-server.ts';

export const testPeer: RpcPeer = {
  identity: 'spiffe://cluster.local/ns/default/sa/reviews',
  remoteAddress: '127.0.0.1:40000',
  certificateNotAfter: 2_000_000_000_000,
};

/** What a response said, in short. */
export interface Received {
  readonly typeUrl: string;
  readonly nonce: string;
  /** `name@version`. */
  readonly resources: readonly string[];
  readonly removed: readonly string[];
}

/** Lets everything that waits for microtasks run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A client of a `DeltaServer` that does what the test says and nothing by itself. */
export class TestClient implements RpcStream {
  /** Responses that `take` has not returned yet. */
  readonly received: Received[] = [];
  /** The encoded messages, as they were sent. */
  readonly messages: Uint8Array[] = [];
  status: RpcStatus | null = null;
  /** False makes `send` ask for a pause. */
  isRoomy = true;
  private readonly handler: RpcStreamHandler;
  private readonly nodeId: string;
  private isNodeSent = false;

  constructor(server: DeltaServer, nodeId = 'node', peer: RpcPeer = testPeer, path = deltaAdsMethod) {
    this.nodeId = nodeId;
    const method = server.methods.get(path);
    assert.ok(method?.kind === 'stream');
    this.handler = method.open(this, peer);
  }

  send(message: Uint8Array): boolean {
    this.messages.push(message);
    const { typeUrl, nonce, resources, removedResources } = DeltaDiscoveryResponse.decode(message);
    this.received.push({
      typeUrl,
      nonce,
      resources: resources.map(({ name, version }) => `${name}@${version}`),
      removed: removedResources,
    });
    return this.isRoomy;
  }

  end(status: RpcStatus = { code: 0, message: '' }): void {
    this.status = status;
  }

  cancel(): void {
    this.status = { code: 1, message: '' };
  }

  /** Sends a request; the first one says which node it comes from. */
  async request(request: DeepPartial<DeltaDiscoveryRequest>): Promise<void> {
    const message = DeltaDiscoveryRequest.fromPartial(request);
    if (!this.isNodeSent && request.node === undefined) message.node = { ...emptyNode, id: this.nodeId };
    this.isNodeSent = true;
    this.raw(DeltaDiscoveryRequest.encode(message).finish());
    await settle();
  }

  raw(message: Uint8Array): void {
    this.handler.onMessage(message);
  }

  subscribe(typeUrl: string, ...names: string[]): Promise<void> {
    return this.request({ typeUrl, resourceNamesSubscribe: names });
  }

  unsubscribe(typeUrl: string, ...names: string[]): Promise<void> {
    return this.request({ typeUrl, resourceNamesUnsubscribe: names });
  }

  ack({ typeUrl, nonce }: Received): Promise<void> {
    return this.request({ typeUrl, responseNonce: nonce });
  }

  nack({ typeUrl, nonce }: Received, message: string): Promise<void> {
    return this.request({ typeUrl, responseNonce: nonce, errorDetail: { code: 3, message } });
  }

  async writable(): Promise<void> {
    this.isRoomy = true;
    this.handler.onWritable();
    await settle();
  }

  disconnect(): void {
    this.handler.onEnd({ code: 14, message: 'gone' });
  }

  /** The one response that came since the last time. */
  async take(): Promise<Received> {
    await settle();
    assert.equal(this.received.length, 1, `expected one response: ${JSON.stringify(this.received)}`);
    return this.received.shift()!;
  }

  /** Takes the one response and acknowledges it. */
  async takeAndAck(): Promise<Received> {
    const response = await this.take();
    await this.ack(response);
    return response;
  }

  /** Acknowledges until nothing more comes; what came, in order. */
  async ackAll(): Promise<Received[]> {
    const all: Received[] = [];
    for (await settle(); this.received.length > 0; await settle()) {
      const response = this.received.shift()!;
      all.push(response);
      await this.ack(response);
    }
    return all;
  }

  async takeNothing(): Promise<void> {
    await settle();
    assert.deepEqual(this.received, []);
  }
}

const emptyNode = {
  id: '',
  cluster: '',
  userAgentName: '',
  clientFeatures: [],
};
