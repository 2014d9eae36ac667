// Hot path.
// One request on its way through the proxy and its response on the way back. One object per client connection, used for
// one request after the other: between two writes it allocates the strings of the two heads and nothing else.
import { type TimerWheelEntry, assertNever } from '@heddle/base';
import type { Cluster } from '../cluster/cluster.ts';
import type { ConnectionPool, ConnectionWaiter } from '../cluster/connection-pool.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import type { ClientConnection, UpstreamExchange, UpstreamFailure } from '../http1/client-connection.ts';
import { FieldId } from '../http1/field-name.ts';
import { BodyKind, listContains } from '../http1/message-head.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ServerConnection } from '../http1/server-connection.ts';
import type { ServerExchange } from '../http1/server-exchange.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import { redirectLocation } from '../routing/path-rewrite.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { TransportError } from '../transport/transport.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { forwardedRequest } from './forwarded-request.ts';
import { forwardedResponse } from './forwarded-response.ts';
import type { HttpSettingsSlot, ProxyContext } from './http-settings.ts';
import { Admission } from './incoming-request.ts';
import { isIdempotent } from './idempotent.ts';
import { IdleWatch, type IdleWatched } from './idle-watch.ts';
import { type LocalReply, LocalReplies, reasonPhrase } from './response-flags.ts';

const noBytes = Buffer.alloc(0);
/** Istio's default of `attempts` for connect failures, where nothing has been sent and a repetition is safe for any method. */
const maxConnectRetries = 2;
const chunkEnd = '\r\n';
const lastChunk = '0\r\n\r\n';

export class ProxyExchange
  extends ExchangeRecord
  implements ServerExchange, UpstreamExchange, ConnectionWaiter, TimerWheelEntry, IdleWatched
{
  deadlineMs = -1;
  wheelSlot = -1;

  private readonly server: ServerConnection;
  private readonly context: ProxyContext;
  private readonly slot: HttpSettingsSlot;
  private readonly idleWatch = new IdleWatch(this);
  private route: RouteMatch<ClusterSlot<ConnectionPool>> | null = null;
  private cluster: Cluster<ConnectionPool> | null = null;
  private endpoint: Endpoint<ConnectionPool> | null = null;
  private upstream: ClientConnection | null = null;
  private requestText = '';
  private waiting = false;
  private active = false;
  private requestEnded = false;
  private bodyForwarded = false;
  private responseStarted = false;
  private chunksResponse = false;
  private connectAttempts = 0;
  private sawActivity = false;
  private startedAt = 0;
  private upstreamStartedAt = 0;
  /** Body that came before there was a connection for it; reading is paused meanwhile. */
  private heldBody: Buffer = noBytes;

  constructor(server: ServerConnection, context: ProxyContext, slot: HttpSettingsSlot) {
    super(server.connection, slot.current);
    this.server = server;
    this.context = context;
    this.slot = slot;
  }

  // ServerExchange: the client's side

  onRequestHead(head: RequestHead): void {
    this.begin(head);
    if (!this.admit(head)) return;
    if (head.method === 'CONNECT') {
      this.reply(LocalReplies.connectNotAllowed);
      return;
    }
    // An offer of h2c is declined by ignoring it (RFC 9110 §7.8); for anything else a silent downgrade would hang the client.
    if (
      head.hasUpgrade &&
      listContains(head.valueById(FieldId.connection), 'upgrade') &&
      !listContains(head.valueById(FieldId.upgrade), 'h2c')
    ) {
      this.reply(LocalReplies.upgradeNotAllowed);
      return;
    }
    const match = this.settings.routes.current?.match(this.request, this.context.random) ?? null;
    if (match === null) {
      this.reply(LocalReplies.routeNotFound);
      return;
    }
    this.route = match;
    this.routeName = match.routeName;
    switch (match.kind) {
      case 'forward':
        this.toCluster(match);
        break;
      case 'direct-response':
        this.send(
          match.directResponse!.status,
          '-',
          'direct_response',
          'content-type: text/plain\r\n',
          match.directResponse!.body,
        );
        break;
      case 'redirect': {
        const { scheme, authority, path } = this.request;
        const location = redirectLocation(match.redirect!, scheme, authority, path);
        this.send(match.redirect!.status, '-', 'direct_response', `location: ${location}\r\n`, noBytes);
        break;
      }
      default:
        assertNever(match.kind);
    }
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (!this.active) return;
    this.bytesReceived += end - start;
    this.sawActivity = true;
    if (this.upstream === null) {
      const more = buffer.subarray(start, end);
      this.heldBody = this.heldBody.length === 0 ? Buffer.from(more) : Buffer.concat([this.heldBody, more]);
      this.server.pauseRequest();
      return;
    }
    this.bodyForwarded = true;
    if (!this.upstream.writeBody(buffer, start, end)) this.server.pauseRequest();
  }

  onRequestEnd(): void {
    if (!this.active) return;
    this.requestEnded = true;
    this.upstream?.endRequest();
    this.armRouteTimeout();
  }

  onResponseDrain(): void {
    this.upstream?.resumeResponse();
  }

  onClientGone(error: TransportError | null): void {
    if (!this.active) return;
    this.responseFlags = 'DC';
    this.responseCodeDetails =
      error === null ? 'downstream_remote_disconnect' : `downstream_remote_disconnect{${error.kind}}`;
    this.letUpstreamGo();
    this.finish();
  }

  onConnectionClosed(): void {
    // Left armed between requests for the sake of speed; armed now it would hold the connection's memory for minutes.
    this.context.timers.disarm(this.idleWatch);
  }

  onRejected(status: number, detail: string): void {
    this.begin(null);
    this.responseCode = status;
    this.responseFlags = 'DPE';
    this.responseCodeDetails = detail;
    this.finish();
  }

  // ConnectionWaiter

  onConnection(connection: ClientConnection): void {
    this.waiting = false;
    this.upstream = connection;
    this.upstreamLocalAddress = connection.localAddress;
    this.upstreamStartedAt = this.context.clock.monotonic();
    if (this.requestText === '') {
      this.requestText = forwardedRequest(
        this.head!,
        this.request,
        this.route!,
        this.timeoutMs,
        this.cluster!.config.isPassthrough,
        this.settings,
        this.context,
      );
    }
    let writable = connection.writeHead(this, this.requestText, this.head!.method === 'HEAD');
    if (this.heldBody.length > 0) {
      const body = this.heldBody;
      this.heldBody = noBytes;
      this.bodyForwarded = true;
      writable = connection.writeBody(body, 0, body.length);
    }
    if (this.requestEnded) connection.endRequest();
    else if (writable) this.server.resumeRequest();
  }

  onConnectFailed(error: TransportError): void {
    this.waiting = false;
    this.upstreamTransportFailureReason = error.detail;
    // Nothing was sent: another endpoint may be asked whatever the method.
    if (this.connectAttempts <= maxConnectRetries) {
      const endpoint = this.cluster!.pick(this.context.random, this.request.authority);
      if (endpoint !== null) {
        this.toEndpoint(endpoint);
        return;
      }
    }
    const { body } = LocalReplies.connectFailure;
    this.reply({
      ...LocalReplies.connectFailure,
      body: `${body}, transport failure reason: ${error.detail}`,
    });
  }

  onOverflow(): void {
    this.waiting = false;
    this.send(
      LocalReplies.overflow.status,
      LocalReplies.overflow.flag,
      LocalReplies.overflow.details,
      'x-envoy-overloaded: true\r\ncontent-type: text/plain\r\n',
      Buffer.from(LocalReplies.overflow.body),
    );
  }

  // UpstreamExchange: the upstream's side

  onResponseHead(head: ResponseHead): void {
    this.sawActivity = true;
    this.responseHead = head;
    this.responseCode = head.status;
    this.responseCodeDetails = 'via_upstream';
    const { settings, context } = this;
    const serviceTimeMs = settings.addsEnvoyHeaders
      ? Math.round(context.clock.monotonic() - this.upstreamStartedAt)
      : 0;
    this.chunksResponse = head.bodyKind === BodyKind.untilClose;
    const closes = this.server.decideLast();
    this.responseStarted = true;
    this.server.writeHead(
      forwardedResponse(
        head,
        this.request,
        this.route!,
        this.chunksResponse,
        closes,
        serviceTimeMs,
        settings,
        context,
      ),
    );
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.bytesSent += end - start;
    this.sawActivity = true;
    let writable: boolean;
    if (this.chunksResponse) {
      this.server.writeText(`${(end - start).toString(16)}\r\n`);
      this.server.writeBody(buffer, start, end);
      writable = this.server.writeText(chunkEnd);
    } else {
      writable = this.server.writeBody(buffer, start, end);
    }
    if (!writable) this.upstream?.pauseResponse();
  }

  onResponsePause(): void {
    if (!this.server.flush()) this.upstream?.pauseResponse();
  }

  onResponseEnd(): void {
    this.upstream = null;
    if (this.chunksResponse) this.server.writeText(lastChunk);
    this.finish();
    this.server.endResponse();
  }

  onRequestDrain(): void {
    this.server.resumeRequest();
  }

  onUpstreamFailed(failure: UpstreamFailure): void {
    const stale = this.upstream !== null && this.upstream.requestCount > 1;
    this.upstream = null;
    this.upstreamTransportFailureReason = failure.detail;
    if (this.responseStarted) {
      this.responseFlags = failure.kind === 'protocol-error' ? 'UPE' : 'UC';
      this.responseCodeDetails = 'upstream_reset_after_response_started{connection_termination}';
      this.finish();
      this.server.abort();
      return;
    }
    // The keep-alive race: the peer closed a reused connection while the request was on its way. Not one byte came back.
    if (failure.beforeResponse && stale && !this.bodyForwarded && isIdempotent(this.head!.method)) {
      this.waiting = true;
      this.endpoint!.pool.acquireFresh(this);
      return;
    }
    this.reply(
      failure.kind === 'protocol-error' ? LocalReplies.protocolError : LocalReplies.connectionTermination,
    );
  }

  // Timeouts

  /** The route's timeout: from the request's end to the response's. */
  onTimeout(): void {
    if (!this.active) return;
    if (this.cluster !== null) this.cluster.metrics.requestTimeouts.value++;
    if (this.endpoint !== null) this.endpoint.requestTimeouts++;
    this.letUpstreamGo();
    this.giveUp(LocalReplies.requestTimeout);
  }

  onIdleCheck(): void {
    if (!this.active) return;
    if (this.sawActivity) {
      this.sawActivity = false;
      this.context.timers.arm(this.idleWatch, this.settings.streamIdleTimeoutMs);
      return;
    }
    this.letUpstreamGo();
    this.giveUp(LocalReplies.idleTimeout);
  }

  private begin(head: RequestHead | null): void {
    const settings = this.slot.current;
    this.settings = settings;
    this.head = head;
    this.active = true;
    this.startTimeMs = this.context.clock.now();
    this.startedAt = this.context.clock.monotonic();
    this.resetRecord();
    this.route = null;
    this.cluster = null;
    this.endpoint = null;
    this.upstream = null;
    this.requestText = '';
    this.requestEnded = false;
    this.bodyForwarded = false;
    this.responseStarted = false;
    this.chunksResponse = false;
    this.connectAttempts = 0;
    this.sawActivity = true;
    settings.requestsTotal.value++;
    settings.requestsActive.value++;
    // Left armed from an earlier request, the watch costs this one nothing.
    if (settings.streamIdleTimeoutMs > 0 && this.idleWatch.wheelSlot < 0) {
      this.context.timers.arm(this.idleWatch, settings.streamIdleTimeoutMs);
    }
  }

  private toCluster(match: RouteMatch<ClusterSlot<ConnectionPool>>): void {
    this.upstreamCluster = match.clusterName;
    const cluster = match.cluster === null ? null : match.cluster.get();
    if (cluster === null) {
      this.reply({ ...LocalReplies.clusterNotFound, status: match.clusterNotFoundStatus });
      return;
    }
    this.cluster = cluster;
    if (cluster.config.isPassthrough && this.hasPassedHere()) {
      this.reply(LocalReplies.loopDetected);
      return;
    }
    const endpoint = cluster.pick(this.context.random, this.request.authority);
    if (endpoint === null) {
      cluster.metrics.requestsWithoutEndpoint.value++;
      this.reply(LocalReplies.noHealthyUpstream);
      return;
    }
    this.toEndpoint(endpoint);
  }

  /** A host outside the mesh may turn out to be this very proxy: a request that carries our name in Via has been here. */
  private hasPassedHere(): boolean {
    return this.head!.header('via')?.includes(this.context.viaName) === true;
  }

  private toEndpoint(endpoint: Endpoint<ConnectionPool>): void {
    this.endpoint = endpoint;
    this.upstreamHost = endpoint.address;
    this.connectAttempts++;
    this.waiting = true;
    endpoint.pool.acquire(this);
  }

  /** Applies the listener's rules to the request; false where they answered it. */
  private admit(head: RequestHead): boolean {
    switch (this.request.admit(head, this.settings.request, this.context.random)) {
      case Admission.badPath:
        this.server.isLast = true;
        this.reply(LocalReplies.badPath);
        return false;
      case Admission.redirected:
        this.server.isLast = true;
        this.send(307, '-', 'path_normalization_failed', `location: ${this.request.path}\r\n`, noBytes);
        return false;
      case Admission.noPath:
        this.reply(LocalReplies.noPath);
        return false;
      default:
        return true;
    }
  }

  /** From the request's end to the response's: the caller's where it may say so, else the route's; 0 for none. */
  private get timeoutMs(): number {
    return this.request.timeoutMs >= 0 ? this.request.timeoutMs : (this.route?.timeoutMs ?? 0);
  }

  private armRouteTimeout(): void {
    const { timeoutMs } = this;
    if (timeoutMs > 0) this.context.timers.arm(this, timeoutMs);
  }

  /** Ends the exchange after its upstream was given up: with a reply where there is still room for one. */
  private giveUp(reply: LocalReply): void {
    if (!this.responseStarted) {
      this.reply(reply);
      return;
    }
    this.responseFlags = reply.flag;
    this.responseCodeDetails = reply.details;
    this.finish();
    this.server.abort();
  }

  private countUpstream(): void {
    const { cluster, endpoint } = this;
    if (cluster === null) return;
    const { metrics } = cluster;
    metrics.countResponse(this.responseCode);
    if (endpoint === null) return;
    if (this.responseHead !== null) {
      metrics.requestTimeMs.observe(this.context.clock.monotonic() - this.upstreamStartedAt);
      if (this.responseHead.status < 500) endpoint.requestsSucceeded++;
      else endpoint.requestsFailed++;
    } else if (this.responseCode > 0) {
      endpoint.requestsFailed++;
    }
  }

  private letUpstreamGo(): void {
    if (this.waiting) {
      this.endpoint!.pool.cancel(this);
      this.waiting = false;
    }
    const upstream = this.upstream;
    this.upstream = null;
    upstream?.abandon();
  }

  /** Answers the request itself, with the reason. */
  private reply(reply: LocalReply): void {
    this.send(
      reply.status,
      reply.flag,
      reply.details,
      'content-type: text/plain\r\n',
      Buffer.from(reply.body),
    );
  }

  private send(status: number, flag: string, details: string, lines: string, body: Buffer): void {
    this.responseCode = status;
    this.responseFlags = flag;
    this.responseCodeDetails = details;
    this.responseStarted = true;
    const close = this.server.decideLast() ? 'connection: close\r\n' : '';
    this.server.writeHead(
      `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\ncontent-length: ${body.length}\r\n${lines}` +
        `date: ${this.context.date.now()}\r\n${this.settings.serverLine}${close}\r\n`,
    );
    if (body.length > 0 && this.head!.method !== 'HEAD') {
      this.bytesSent = body.length;
      this.server.writeBody(body, 0, body.length);
    }
    this.finish();
    this.server.endResponse();
  }

  /** Counts and logs the exchange; nothing of it is touched afterwards. */
  private finish(): void {
    this.active = false;
    this.heldBody = noBytes;
    this.durationMs = this.context.clock.monotonic() - this.startedAt;
    if (this.wheelSlot >= 0) this.context.timers.disarm(this);
    const settings = this.settings;
    settings.requestsActive.value--;
    this.countUpstream();
    for (const observer of settings.observers) observer.onFinished(this);
  }
}
