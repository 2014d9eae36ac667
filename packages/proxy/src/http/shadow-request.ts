// Copies of requests (`request_mirror_policies`): they go beside the requests, and nobody reads their responses.
import type { TimerWheelEntry } from '@heddle/base';
import type { Cluster } from '../cluster/cluster.ts';
import { type ConnectionPool, type ConnectionWaiter, poolFor } from '../cluster/connection-pool.ts';
import { type ClientStream, ResponseKind, type UpstreamExchange } from '../codec/client-stream.ts';
import { createFieldFilter } from '../codec/field-filter.ts';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { BodyKind, type ResponseHeadView } from '../codec/message-view.ts';
import { OutgoingRequest } from '../codec/outgoing-request.ts';
import { PendingBytes } from '../http1/pending-bytes.ts';
import { addRequest } from '../http2/outgoing-fields.ts';
import { Http2RequestHead } from '../http2/request-head.ts';
import type { RoutingPriority } from '../cluster/cluster-metrics.ts';
import type { Connection } from '../transport/transport.ts';
import type { ProxyContext } from './http-settings.ts';

/** What a copy is made of. */
export interface ShadowedRequest {
  /** As it goes to the cluster that answers. */
  readonly head: OutgoingRequest;
  readonly priority: RoutingPriority;
  /** That the request came over. */
  readonly connection: Connection;
  /** From its end to that of its response; 0 for any time. */
  readonly timeoutMs: number;
  /** A copy that has to wait with more of its body than this is given up. */
  readonly bufferLimitBytes: number;
}

const nothingDropped = createFieldFilter([]);
const internalField = new Field('x-envoy-internal', 'true');
const unavailable = 503;
const timedOut = 504;

/** One copy on its way. It counts in its cluster's metrics like any request, and is never tried again. */
export class ShadowRequest implements UpstreamExchange, ConnectionWaiter, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly wantsUpgrade = false;
  readonly hasUpgradeBody = false;
  private readonly context: ProxyContext;
  private readonly cluster: Cluster<ConnectionPool>;
  private readonly shadowed: ShadowedRequest;
  private readonly outgoing: OutgoingRequest;
  private pool: ConnectionPool | null = null;
  private upstream: ClientStream | null = null;
  /** Of the body, for want of a connection or of room in it. */
  private readonly waiting = new PendingBytes();
  private isBlocked = false;
  private trailers: FieldList | null = null;
  private isComplete = false;
  private isOver = false;
  private status = 0;

  /** `marksHost`: the copy's host says that it is one. */
  constructor(
    context: ProxyContext,
    cluster: Cluster<ConnectionPool>,
    shadowed: ShadowedRequest,
    marksHost: boolean,
  ) {
    this.context = context;
    this.cluster = cluster;
    this.shadowed = shadowed;
    this.outgoing = copyOf(shadowed.head, marksHost, context.ownAddress);
  }

  send(): void {
    const { cluster, context, shadowed } = this;
    const endpoint = cluster.pick(context.random, this.outgoing.authority);
    if (endpoint === null) {
      cluster.metrics.requestsWithoutEndpoint.value++;
      this.end(unavailable);
      return;
    }
    this.pool = poolFor(endpoint, shadowed.connection, shadowed.priority);
    this.pool.acquire(this);
  }

  /** Part of the body, without any framing. */
  addBody(buffer: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    if (this.upstream !== null && !this.isBlocked) {
      this.isBlocked = !this.upstream.sendBody(buffer, start, end);
      return;
    }
    if (this.waiting.length + end - start > this.shadowed.bufferLimitBytes) this.giveUp();
    else this.waiting.add(buffer, start, end);
  }

  addTrailers(fields: FieldList): void {
    this.trailers = new FieldList();
    this.trailers.copy(fields);
  }

  /** The request is complete. */
  endRequest(): void {
    if (this.isOver) return;
    this.isComplete = true;
    const { context, shadowed } = this;
    if (shadowed.timeoutMs > 0) context.timers.arm(this, shadowed.timeoutMs);
    if (this.upstream !== null && !this.isBlocked) this.sendWaiting(this.upstream);
  }

  /** The request will never be complete. */
  giveUp(): void {
    if (this.isOver) return;
    this.pool?.cancel(this);
    this.pool = null;
    const { upstream } = this;
    this.end(this.status);
    upstream?.abandon();
  }

  // ConnectionWaiter

  onConnection(stream: ClientStream): void {
    this.pool = null;
    this.upstream = stream;
    const isHead = this.outgoing.head.method === 'HEAD';
    this.isBlocked = !stream.sendHead(this, this.outgoing, isHead ? ResponseKind.head : ResponseKind.usual);
    if (!this.isBlocked) this.sendWaiting(stream);
  }

  onConnectFailed(): void {
    this.pool = null;
    this.end(unavailable);
  }

  onOverflow(): void {
    this.pool = null;
    this.end(unavailable);
  }

  // UpstreamExchange

  onResponseHead(head: ResponseHeadView): void {
    this.status = head.status;
  }

  onInterimResponse(): void {
    // The final one follows.
  }

  onUpgraded(): void {
    // Nothing asks for that.
    this.giveUp();
  }

  onResponseBody(): void {
    // Nobody reads it.
  }

  onResponseTrailers(): void {
    // Nor these.
  }

  onResponseEnd(): void {
    this.end(this.status);
  }

  onResponsePause(): void {
    // Nothing is held back.
  }

  onRequestDrain(): void {
    this.isBlocked = false;
    if (this.upstream !== null) this.sendWaiting(this.upstream);
  }

  onUpstreamFailed(): void {
    this.end(this.status === 0 ? unavailable : this.status);
  }

  // TimerWheelEntry

  onTimeout(): void {
    const { metrics } = this.cluster;
    metrics.requestTimeouts.value++;
    if (this.status === 0) metrics.countResponse(timedOut);
    this.giveUp();
  }

  private sendWaiting(stream: ClientStream): void {
    const { bytes, length } = this.waiting;
    this.waiting.clear();
    if (length > 0 && !stream.sendBody(bytes, 0, length)) {
      this.isBlocked = true;
      return;
    }
    if (!this.isComplete) return;
    if (this.trailers !== null) stream.sendTrailers(this.trailers);
    stream.endRequest();
  }

  private end(status: number): void {
    this.isOver = true;
    this.upstream = null;
    this.waiting.clear();
    this.context.timers.disarm(this);
    if (status !== 0) this.cluster.metrics.countResponse(status);
  }
}

/** The head of a copy, which outlives what it is a copy of. */
function copyOf(request: OutgoingRequest, marksHost: boolean, ownAddress: string): OutgoingRequest {
  const fields = new FieldList();
  addRequest(request, ResponseKind.usual, fields);
  const earlier = fields.value('x-forwarded-for');
  if (ownAddress !== '') {
    fields.remove('x-forwarded-for');
    fields.add(new Field('x-forwarded-for', earlier === null ? ownAddress : `${earlier},${ownAddress}`));
  }
  fields.remove(internalField.name);
  fields.add(internalField);
  const head = new Http2RequestHead();
  head.take(fields, request.bodyKind !== BodyKind.none);
  const copy = new OutgoingRequest();
  copy.head = head;
  copy.path = request.path;
  copy.authority = marksHost ? markedHost(request.authority) : request.authority;
  copy.scheme = request.scheme;
  copy.filter = nothingDropped;
  copy.added = new FieldList();
  copy.bodyKind = request.bodyKind;
  return copy;
}

/** `a:80` → `a-shadow:80`. */
function markedHost(authority: string): string {
  return authority.replace(/(?::\d+)?$/, (port) => `-shadow${port}`);
}
