// State-of-the-world xDS as a translation: each request becomes the incremental one that says the same, and each incremental response
// the one that a client without increments understands. What is ordered, held back and remembered is `DeltaStream`'s business.
import { hash } from 'node:crypto';
import { errorMessage } from '@heddle/base';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
  type Resource,
} from '../generated/envoy/service/discovery/v3/discovery.ts';
import { RpcCode } from '../rpc.ts';
import type { RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { TypeUrl } from '../type-url.ts';

/** Types of which a response is everything there is: what it lacks does not exist. */
export const wholeTypeUrls: ReadonlySet<string> = new Set([TypeUrl.listener, TypeUrl.cluster]);

/** Beyond this many unanswered responses the oldest is forgotten, as `TypeState` does: many clients answer only the last. */
const maxNonces = 64;
const wildcard = '*';

/** One type on one stream, as the client sees it. */
class SotwType {
  /** What the client asks for, `*` included. */
  wanted: ReadonlySet<string> = new Set();
  /** Whether it has ever named something: no names mean nothing then, and everything before. */
  hasNamed = false;
  /** What the client has of a whole type. */
  readonly sent = new Map<string, Resource>();
  /** The nonce of the last response; requests that answer an earlier one are out of date. */
  lastNonce = '';
  /** The incremental response that each nonce stands for, until it is answered. */
  readonly nonces = new Map<string, string>();
}

/** One client's stream. It is the client to a `DeltaStream`, and the server to the client. */
export class SotwStream implements RpcStream, RpcStreamHandler {
  private readonly client: RpcStream;
  private readonly implicitType: string | null;
  private readonly types = new Map<string, SotwType>();
  private delta: RpcStreamHandler | null = null;
  private isOver = false;
  private nonce = 0;

  /** `implicitType` is the type of a stream that has only one; null for an aggregated stream. */
  constructor(client: RpcStream, implicitType: string | null) {
    this.client = client;
    this.implicitType = implicitType;
  }

  /** Begins; `open` makes the stream that is translated. */
  attach(open: (stream: RpcStream) => RpcStreamHandler): this {
    this.delta = open(this);
    return this;
  }

  // RpcStreamHandler: what the client says

  onMessage(message: Uint8Array): void {
    if (this.isOver) return;
    let request: DiscoveryRequest;
    try {
      request = DiscoveryRequest.decode(message);
    } catch (error) {
      this.delta?.onEnd({ code: RpcCode.invalidArgument, message: '' });
      this.end({
        code: RpcCode.invalidArgument,
        message: `Not a DiscoveryRequest: ${errorMessage(error)}`,
      });
      return;
    }
    this.say(this.translate(request));
  }

  onHalfClose(): void {
    this.delta?.onHalfClose();
  }

  onWritable(): void {
    this.delta?.onWritable();
  }

  onEnd(status: RpcStatus): void {
    this.isOver = true;
    this.delta?.onEnd(status);
  }

  // RpcStream: what the incremental stream answers

  send(message: Uint8Array): boolean {
    const response = DeltaDiscoveryResponse.decode(message);
    const { typeUrl } = response;
    const type = this.types.get(typeUrl);
    if (type === undefined) return true;
    const resources = wholeTypeUrls.has(typeUrl) ? whole(type, response) : response.resources;
    if (resources.length === 0 && !wholeTypeUrls.has(typeUrl)) {
      // Of these, what is gone is told by what referred to it: there is nothing to say, and nobody to confirm it.
      queueMicrotask(() => this.say({ typeUrl, responseNonce: response.nonce }));
      return true;
    }
    this.nonce++;
    const nonce = this.nonce.toString(36);
    type.lastNonce = nonce;
    type.nonces.set(nonce, response.nonce);
    for (const oldest of type.nonces.keys()) {
      if (type.nonces.size <= maxNonces) break;
      type.nonces.delete(oldest);
    }
    const translated = DiscoveryResponse.fromPartial({
      typeUrl,
      nonce,
      versionInfo: versionOf(resources),
      resources: resources.flatMap(({ resource }) => resource ?? []),
      controlPlane: response.controlPlane,
    });
    return this.client.send(DiscoveryResponse.encode(translated).finish());
  }

  end(status?: RpcStatus): void {
    if (this.isOver) return;
    this.isOver = true;
    this.client.end(status);
  }

  cancel(): void {
    this.isOver = true;
    this.client.cancel();
  }

  private say(request: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): void {
    if (this.isOver) return;
    this.delta?.onMessage(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(request)).finish());
  }

  private translate(request: DiscoveryRequest): Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0] {
    const { node, errorDetail } = request;
    const typeUrl = request.typeUrl === '' ? (this.implicitType ?? '') : request.typeUrl;
    let type = this.types.get(typeUrl);
    if (type === undefined) {
      type = new SotwType();
      this.types.set(typeUrl, type);
      // A nonce and a version are those of an earlier stream: nothing follows from them.
      return { node, typeUrl, ...subscription(type, typeUrl, request.resourceNames) };
    }
    const answered = type.nonces.get(request.responseNonce);
    type.nonces.delete(request.responseNonce);
    const answer = answered === undefined ? {} : { responseNonce: answered, errorDetail };
    // What answers an earlier response was said before the client knew the last one: its names are out of date.
    const isStale = request.responseNonce !== '' && request.responseNonce !== type.lastNonce;
    return {
      node,
      typeUrl,
      ...answer,
      ...(isStale ? {} : subscription(type, typeUrl, request.resourceNames)),
    };
  }
}

/** What the client asks for now, as a change of what it asked for before. */
function subscription(
  type: SotwType,
  typeUrl: string,
  names: readonly string[],
): { resourceNamesSubscribe: string[]; resourceNamesUnsubscribe: string[] } {
  const isEverything = names.length === 0 && !type.hasNamed && wholeTypeUrls.has(typeUrl);
  if (names.length > 0) type.hasNamed = true;
  const before = type.wanted;
  const wanted = new Set(isEverything ? [wildcard] : names);
  type.wanted = wanted;
  const unsubscribed = [...before].filter((name) => !wanted.has(name));
  if (unsubscribed.length > 0 && !wanted.has(wildcard)) {
    for (const name of type.sent.keys()) if (!wanted.has(name)) type.sent.delete(name);
  }
  return {
    resourceNamesSubscribe: [...wanted].filter((name) => !before.has(name)),
    resourceNamesUnsubscribe: unsubscribed,
  };
}

/** All that the client should have of a type after a response. */
function whole(type: SotwType, response: DeltaDiscoveryResponse): Resource[] {
  for (const name of response.removedResources) type.sent.delete(name);
  for (const resource of response.resources) type.sent.set(resource.name, resource);
  return [...type.sent.values()];
}

/** Differs wherever the content does. */
function versionOf(resources: readonly Resource[]): string {
  const text = resources.map(({ name, version }) => `${name}\n${version}\n`).join('');
  return hash('sha256', text, 'base64url').slice(0, 22);
}
