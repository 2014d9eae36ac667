import assert from 'node:assert/strict';
import { DiscoveryRequest, DiscoveryResponse } from '../generated/envoy/service/discovery/v3/discovery.ts';
import type { DeepPartial } from '../message-types.ts';
import type { RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { sotwAdsMethod, type DeltaServer } from '../server/delta-server.ts';
import { settle, testPeer } from './test-client.ts';

/** What a response said, in short. */
export interface SotwReceived {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  /** The resources' contents, which tests write as `name@version`. */
  readonly resources: readonly string[];
}

/** A client of the state of the world that does what the test says and nothing by itself. */
export class SotwClient implements RpcStream {
  readonly received: SotwReceived[] = [];
  status: RpcStatus | null = null;
  isRoomy = true;
  private readonly handler: RpcStreamHandler;
  private isNodeSent = false;

  constructor(server: DeltaServer, path = sotwAdsMethod) {
    const method = server.methods.get(path);
    assert.ok(method?.kind === 'stream');
    this.handler = method.open(this, testPeer);
  }

  send(message: Uint8Array): boolean {
    const { typeUrl, nonce, versionInfo, resources } = DiscoveryResponse.decode(message);
    for (const resource of resources) assert.equal(resource.typeUrl, typeUrl);
    const contents = resources.map(({ value }) => Buffer.from(value).toString());
    this.received.push({ typeUrl, nonce, version: versionInfo, resources: contents });
    return this.isRoomy;
  }

  end(status: RpcStatus = { code: 0, message: '' }): void {
    this.status = status;
  }

  cancel(): void {
    this.status = { code: 1, message: '' };
  }

  /** Sends a request; the first one says which node it comes from. */
  async request(request: DeepPartial<DiscoveryRequest>): Promise<void> {
    const message = DiscoveryRequest.fromPartial(request);
    if (!this.isNodeSent) message.node = { id: 'node', cluster: '', userAgentName: '', clientFeatures: [] };
    this.isNodeSent = true;
    this.handler.onMessage(DiscoveryRequest.encode(message).finish());
    await settle();
  }

  /** Acknowledges and asks for these names from now on. */
  ack({ typeUrl, nonce, version }: SotwReceived, ...names: string[]): Promise<void> {
    return this.request({ typeUrl, responseNonce: nonce, versionInfo: version, resourceNames: names });
  }

  nack({ typeUrl, nonce }: SotwReceived, message: string, ...names: string[]): Promise<void> {
    const errorDetail = { code: 3, message };
    return this.request({ typeUrl, responseNonce: nonce, resourceNames: names, errorDetail });
  }

  raw(message: Uint8Array): void {
    this.handler.onMessage(message);
  }

  disconnect(): void {
    this.handler.onEnd({ code: 14, message: 'gone' });
  }

  /** The one response that came since the last time. */
  async take(): Promise<SotwReceived> {
    await settle();
    assert.equal(this.received.length, 1, `expected one response: ${JSON.stringify(this.received)}`);
    return this.received.shift()!;
  }

  async takeNothing(): Promise<void> {
    await settle();
    assert.deepEqual(this.received, []);
  }
}
