// A client of gRPC over the proxy's own HTTP/2. Whom it talks to, and how that is proven, is the business of its transport.
import { type Clock, type Logger, type Random, TimerWheel, silentLogger } from '@heddle/base';
import {
  RpcCode,
  type RpcClient,
  type RpcReply,
  type RpcStatus,
  type RpcStream,
  type RpcStreamHandler,
} from '@heddle/xds';
import { MetricRegistry } from '@heddle/telemetry';
import { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import type { Http2Context, Http2Settings } from '../../http2/connection-owner.ts';
import { FlushQueue } from '../../http2/flush-queue.ts';
import { defaultHttp2Options } from '../../http2/http2-options.ts';
import { Http2Metrics } from '../../stats/http2-metrics.ts';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { describeAddress, isUnixAddress } from '../../transport/address.ts';
import type { Transport, TransportAddress } from '../../transport/transport.ts';
import { formatGrpcTimeout } from '../timeout-header.ts';
import { GrpcLink, type LinkOwner } from './grpc-link.ts';
import { type CallOwner, OutgoingCall } from './outgoing-call.ts';

const nothing = new Uint8Array(0);
const noStatus: RpcStatus = { code: RpcCode.ok, message: '' };

/** Messages are taken as they come, and the largest are put together outside of these. */
const streamWindowBytes = 256 * 1024;
const connectionWindowBytes = 1024 * 1024;

/** Deadlines here are of seconds: one look at them in a second is enough, and costs an idle process less than four. */
const tickMs = 1000;
const ticks = 16;

export interface GrpcClientOptions {
  readonly transport: Transport;
  readonly address: TransportAddress;
  /** Other servers that do the same: asked in turn where no connection to the one before can be made. */
  readonly alternatives?: readonly TransportAddress[];
  /** Null for HTTP/2 in the clear. Must offer `h2`. */
  readonly security: LinkSecurity | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** Where its HTTP/2 is counted; absent for nowhere. */
  readonly metrics?: Http2Metrics;
  /** The default is 10,000. */
  readonly connectTimeoutMs?: number;
  /** How often a connection is asked whether it is alive; the default is 10,000. */
  readonly keepAliveMs?: number;
  /** How long the answer to that may take; the default is 5,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Larger messages end their call; the default is 16 MiB. */
  readonly maxMessageBytes?: number;
  /** Asked when no connection could be made: why, in a sentence without a full stop; null where the transport knows best. */
  readonly explainFailure?: () => string | null;
}

/** Calls over one connection, which is made when it is needed and again when it was lost or its server leaves it. */
export class GrpcClient implements RpcClient, CallOwner, LinkOwner {
  private readonly options: GrpcClientOptions;
  private readonly addresses: readonly [TransportAddress, ...TransportAddress[]];
  /** Which of the addresses is asked. */
  private chosen = 0;
  private readonly logger: Logger;
  private readonly settings: Http2Settings;
  private readonly context: Http2Context;
  private readonly calls = new Set<OutgoingCall>();
  /** Calls that need a stream. */
  private readonly waiting = new Set<OutgoingCall>();
  /** The connection that new calls are made on, made or being made; null for none. Those before it end with their last call. */
  private link: GrpcLink | null = null;
  private isClosed = false;

  constructor(options: GrpcClientOptions) {
    const { clock, random, keepAliveMs = 10_000, keepAliveTimeoutMs = 5000 } = options;
    this.options = options;
    this.addresses = [options.address, ...(options.alternatives ?? [])];
    this.logger = options.logger ?? silentLogger;
    this.settings = {
      options: {
        ...defaultHttp2Options,
        initialStreamWindowSize: streamWindowBytes,
        initialConnectionWindowSize: connectionWindowBytes,
        keepaliveIntervalMs: keepAliveMs,
        keepaliveTimeoutMs: keepAliveTimeoutMs,
      },
      metrics: options.metrics ?? new Http2Metrics(new MetricRegistry().scope(), null),
      bytesSent: { value: 0 },
      bytesReceived: { value: 0 },
    };
    const timers = new TimerWheel(clock, tickMs, ticks);
    this.context = { clock, random, timers, flushes: new FlushQueue(clock, this.logger) };
  }

  // RpcClient

  openStream(method: string, handler: RpcStreamHandler): RpcStream {
    return this.start(method, null, handler);
  }

  call(method: string, request: Uint8Array, timeoutMs: number): Promise<RpcReply> {
    const { promise, resolve } = Promise.withResolvers<RpcReply>();
    const { clock } = this.options;
    let message: Uint8Array | null = null;
    const call = this.start(method, clock.monotonic() + timeoutMs, {
      onMessage: (reply) => {
        message ??= reply;
      },
      onHalfClose: () => undefined,
      onWritable: () => undefined,
      onEnd: (status) => {
        timer.cancel();
        resolve(replyOf(status, message));
      },
    });
    const timer = clock.setTimer(timeoutMs, () => {
      call.fail({ code: RpcCode.deadlineExceeded, message: `No answer within ${timeoutMs} ms.` });
    });
    call.send(request);
    call.end();
    return promise;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const call of this.calls) {
      call.fail({ code: RpcCode.cancelled, message: 'The client was closed.' });
    }
    this.link?.destroy();
  }

  // CallOwner

  onRefused(call: OutgoingCall): void {
    this.waiting.add(call);
    this.serveWaiting();
  }

  onOver(call: OutgoingCall): void {
    this.calls.delete(call);
    this.waiting.delete(call);
  }

  // LinkOwner

  onCapacity(): void {
    this.serveWaiting();
  }

  onLeaving(link: GrpcLink): void {
    if (this.link !== link) return;
    this.link = null;
    this.serveWaiting();
  }

  onGone(link: GrpcLink, failure: string | null): void {
    if (this.link !== link) return;
    this.link = null;
    if (failure === null) {
      this.serveWaiting();
      return;
    }
    this.failWaiting(failure);
    // Calls are made again after a pause, and then to another.
    this.chosen = (this.chosen + 1) % this.addresses.length;
  }

  private start(method: string, deadlineMs: number | null, handler: RpcStreamHandler): OutgoingCall {
    const { maxMessageBytes = 16 * 1024 * 1024 } = this.options;
    const call = new OutgoingCall(method, deadlineMs, handler, maxMessageBytes, this);
    this.calls.add(call);
    if (this.isClosed) {
      call.fail({ code: RpcCode.cancelled, message: 'The client is closed.' });
    } else {
      this.waiting.add(call);
      this.serveWaiting();
    }
    return call;
  }

  /** Makes the calls that wait as far as the connection takes them; without one it makes one. */
  private serveWaiting(): void {
    if (this.waiting.size === 0 || this.isClosed) return;
    const link = (this.link ??= this.connect());
    for (const call of this.waiting) {
      const stream = link.openStream(call);
      if (stream === null) return;
      this.waiting.delete(call);
      call.begin(stream, this.headOf(call));
    }
  }

  private connect(): GrpcLink {
    const { transport, security, connectTimeoutMs: timeoutMs = 10_000 } = this.options;
    const options = { address: this.address, security, timeoutMs };
    return new GrpcLink(transport, options, this, this.settings, this.context, this.logger);
  }

  private get address(): TransportAddress {
    return this.addresses[this.chosen] ?? this.addresses[0];
  }

  private failWaiting(failure: string): void {
    const reason = this.options.explainFailure?.() ?? failure;
    const message = `Cannot connect to ${describeAddress(this.address)}: ${reason}`;
    for (const call of this.waiting) call.fail({ code: RpcCode.unavailable, message });
  }

  private headOf({ method, deadlineMs }: OutgoingCall): FieldList {
    const { security, clock } = this.options;
    const head = FieldList.of(
      new Field(':method', 'POST'),
      new Field(':scheme', security === null ? 'http' : 'https'),
      new Field(':path', method),
      // A path is no authority; gRPC says this for all Unix sockets.
      new Field(':authority', isUnixAddress(this.address) ? 'localhost' : describeAddress(this.address)),
      new Field('te', 'trailers'),
    );
    if (deadlineMs !== null) {
      const leftMs = Math.max(1, deadlineMs - clock.monotonic());
      head.add(new Field('grpc-timeout', formatGrpcTimeout(leftMs)));
    }
    head.add(new Field('content-type', 'application/grpc+proto'));
    head.add(new Field('grpc-accept-encoding', 'identity'));
    head.add(new Field('user-agent', 'heddle'));
    return head;
  }
}

function replyOf(status: RpcStatus, message: Uint8Array | null): RpcReply {
  if (status.code !== RpcCode.ok) return { status, message: nothing };
  if (message === null)
    return { status: { code: RpcCode.internal, message: 'The answer is empty.' }, message: nothing };
  return { status: noStatus, message };
}
