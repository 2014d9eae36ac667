// Puts responses together from encoded resources, and hands streams that are sent the same thing the same bytes.
import { BinaryWriter } from '../wire/binary-writer.ts';
import type { EncodedResource } from './resource-source.ts';

/** An encoded `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export interface PreparedResponse {
  readonly nonce: string;
  /** Everything that is sent or removed by it. */
  readonly names: readonly string[];
  readonly bytes: Uint8Array;
}

/**
 * Nonces only have to differ within a stream, so a response with its nonce can be shared by all streams that are sent the
 * same resources: a change that concerns 2,000 proxies is put together once.
 */
export class ResponseCache {
  private readonly maxBytes: number;
  private readonly controlPlane: Uint8Array;
  private readonly responses = new Map<string, PreparedResponse>();
  private bytes = 0;
  private nextNonce = 0;

  /** `identifier` names this control plane to clients; `maxBytes` bounds what is kept for sharing. */
  constructor(identifier: string, maxBytes: number) {
    this.maxBytes = maxBytes;
    this.controlPlane = new BinaryWriter().tag(7, 2).fork().tag(1, 2).string(identifier).join().finish();
  }

  /** The response for these resources; with `isNonceUsed` the one whose nonce the stream does not know. */
  prepare(
    typeUrl: string,
    resources: readonly EncodedResource[],
    removed: readonly string[],
    isNonceUsed: (nonce: string) => boolean,
  ): PreparedResponse {
    const key = keyOf(typeUrl, resources, removed);
    const shared = this.responses.get(key);
    if (shared !== undefined && !isNonceUsed(shared.nonce)) {
      // Moves it to the end: the first is the one that was used least recently.
      this.responses.delete(key);
      this.responses.set(key, shared);
      return shared;
    }
    const response = this.encode(typeUrl, resources, removed);
    if (shared === undefined) this.keep(key, response);
    return response;
  }

  private encode(
    typeUrl: string,
    resources: readonly EncodedResource[],
    removed: readonly string[],
  ): PreparedResponse {
    this.nextNonce++;
    const nonce = this.nextNonce.toString(36);
    // DeltaDiscoveryResponse: resources = 2, type_url = 4, nonce = 5, removed_resources = 6, control_plane = 7.
    const writer = new BinaryWriter();
    for (const resource of resources) writer.tag(2, 2).bytes(resource.bytes);
    writer.tag(4, 2).string(typeUrl);
    for (const name of removed) writer.tag(6, 2).string(name);
    writer.raw(this.controlPlane).tag(5, 2).string(nonce);
    return {
      nonce,
      names: [...resources.map((resource) => resource.name), ...removed],
      bytes: writer.finish(),
    };
  }

  private keep(key: string, response: PreparedResponse): void {
    this.responses.set(key, response);
    this.bytes += response.bytes.length + key.length;
    for (const [oldKey, old] of this.responses) {
      if (this.bytes <= this.maxBytes) return;
      this.responses.delete(oldKey);
      this.bytes -= old.bytes.length + oldKey.length;
    }
  }
}

function keyOf(typeUrl: string, resources: readonly EncodedResource[], removed: readonly string[]): string {
  let key = typeUrl;
  for (const { id } of resources) key += ` ${id}`;
  return removed.length === 0 ? key : `${key} ${JSON.stringify(removed)}`;
}
