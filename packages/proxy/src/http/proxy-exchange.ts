// Hot path.
// One request on its way through the proxy and its response on the way back. One object per client connection, used for
// one request after the other: between two writes it allocates the strings of the two heads and nothing else.
import { assertNever } from '@heddle/base';
import type { Cluster } from '../cluster/cluster.ts';
import { type ConnectionPool, type ConnectionWaiter, poolFor } from '../cluster/connection-pool.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import type { ClientConnection, UpstreamExchange, UpstreamFailure } from '../http1/client-connection.ts';
import { writeResponseHead } from '../http1/head-writer.ts';
import { BodyKind } from '../http1/message-head.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ServerExchange } from '../http1/server-exchange.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import { redirectLocation } from '../routing/path-rewrite.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { Connection, TransportError } from '../transport/transport.ts';
import { DownstreamExchange } from './downstream-exchange.ts';
import { forwardedRequest } from './forwarded-request.ts';
import { forwardedResponse } from './forwarded-response.ts';
import { Admission } from './incoming-request.ts';
import { isIdempotent } from './idempotent.ts';
import { LocalReplies, connectFailure } from './response-flags.ts';
import { Tunnel, type TunnelEnding, type TunnelOwner } from './tunnel.ts';
import {
  responseKind,
  switchedLine,
  switchesProtocol,
  upgradeDecision,
  upgradeLine,
  wantedUpgrade,
} from './upgrade-rules.ts';

const noBytes = Buffer.alloc(0);
const chunkEnd = '\r\n';
const lastChunk = '0\r\n\r\n';

export class ProxyExchange
  extends DownstreamExchange
  implements ServerExchange, UpstreamExchange, ConnectionWaiter, TunnelOwner
{
  private route: RouteMatch<ClusterSlot<ConnectionPool>> | null = null;
  private cluster: Cluster<ConnectionPool> | null = null;
  private endpoint: Endpoint<ConnectionPool> | null = null;
  private upstream: ClientConnection | null = null;
  private requestText = '';
  private waiting = false;
  private bodyForwarded = false;
  private chunksResponse = false;
  /** The chunked response goes to a client that knows no chunks. */
  private unframed = false;
  private tunnelsRaw = false;
  /** The upstream's side of a tunnel that is no answer to an upgrade. */
  private rawConnection: Connection | null = null;
  private connectAttempts = 0;
  private upstreamStartedAt = 0;
  private isHandedOverAtOnce = false;
  /** Body that came before there was a connection for it; reading is paused meanwhile. */
  private heldBody: Buffer = noBytes;
  private tunnel: Tunnel | null = null;

  // ServerExchange: the client's side

  onRequestHead(head: RequestHead): void {
    this.begin(head);
    if (!this.admit(head)) return;
    const match = this.settings.routes.current?.match(this.request, this.context.random) ?? null;
    const { metrics } = this.settings.server;
    if (match === null) {
      metrics.requestsRouted.value++;
      metrics.routesNotFound.value++;
      this.reply(LocalReplies.routeNotFound);
      return;
    }
    this.route = match;
    this.routeName = match.routeName;
    this.responseHeaders = match.responseHeaders;
    if (head.hasUpgrade || head.method === 'CONNECT') {
      if (!this.grantUpgrade(head, match)) return;
    }
    metrics.requestsRouted.value++;
    if (match.hasOwnLimits && !this.applyLimits(head, match)) return;
    switch (match.kind) {
      case 'forward':
        this.toCluster(match);
        break;
      case 'direct-response':
        metrics.directResponses.value++;
        this.send(
          match.directResponse!.status,
          '-',
          'direct_response',
          'content-type: text/plain\r\n',
          match.directResponse!.body,
        );
        break;
      case 'redirect': {
        metrics.directResponses.value++;
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
    this.limits.sawActivity = true;
    if (this.maxRequestBytes >= 0 && this.server.bodyBytes > this.maxRequestBytes) {
      this.refuseBody();
      return;
    }
    if (this.upstream === null) {
      const more = buffer.subarray(start, end);
      this.heldBody = this.heldBody.length === 0 ? Buffer.from(more) : Buffer.concat([this.heldBody, more]);
      this.server.pauseRequest();
      return;
    }
    this.bodyForwarded = true;
    if (!this.upstream.writeBody(buffer, start, end)) this.server.pauseRequest();
  }

  onRequestTrailers(lines: string): void {
    if (!this.active || !this.cluster!.config.connections.responses.takesTrailers) return;
    if (this.upstream === null) this.heldBody = Buffer.concat([this.heldBody, Buffer.from(lines, 'latin1')]);
    else this.upstream.writeText(lines);
  }

  onRequestEnd(): void {
    if (!this.active) return;
    this.requestEnded = true;
    this.limits.endRequest();
    this.upstream?.endRequest();
    // What was asked for may last: only standing still ends it.
    if (this.upgrade !== '') return;
    const hasEndedAtOnce = this.head!.bodyKind === BodyKind.none;
    this.limits.limitResponse(
      this.timeoutMs,
      hasEndedAtOnce ? this.startedAt : this.context.clock.monotonic(),
    );
  }

  onResponseDrain(): void {
    this.upstream?.resumeResponse();
  }

  // ConnectionWaiter

  onConnection(connection: ClientConnection): void {
    this.waiting = false;
    this.upstream = connection;
    this.upstreamLocalAddress = connection.localAddress;
    this.upstreamStartedAt = this.isHandedOverAtOnce ? this.startedAt : this.context.clock.monotonic();
    if (this.requestText === '') {
      this.requestText = forwardedRequest(
        this.head!,
        this.request,
        this.route!,
        this.timeoutMs,
        this.cluster!.config.isPassthrough,
        this.settings,
        this.context,
        upgradeLine(this.upgrade, this.head!),
        this.endpoint!.name,
      );
    }
    let writable = connection.writeHead(this, this.requestText, responseKind(this.upgrade, this.head!));
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
    const { metrics } = this.cluster!;
    const { connectRetries } = this.route!;
    const mayRetry = this.connectAttempts <= connectRetries;
    const endpoint = mayRetry ? this.cluster!.pick(this.context.random, this.request.authority, this) : null;
    if (endpoint !== null) {
      metrics.retries.value++;
      this.toEndpoint(endpoint);
      return;
    }
    const isLimitReached = connectRetries > 0 && !mayRetry;
    if (isLimitReached) metrics.retryLimitsReached.value++;
    this.reply(connectFailure(error, isLimitReached));
  }

  onOverflow(): void {
    this.waiting = false;
    this.refuseForOverflow();
  }

  /** As in Envoy, an upstream that was never asked is none. */
  private refuseForOverflow(): void {
    this.upstreamHost = '';
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
    this.limits.sawActivity = true;
    this.responseHead = head;
    if (this.connectAttempts > 1) this.cluster!.metrics.retrySuccesses.value++;
    this.responseCode = head.status;
    this.responseCodeDetails = 'via_upstream';
    const { settings, context, server } = this;
    const client = this.head!;
    const isOld = client.minorVersion === 0;
    if (isOld && head.bodyKind === BodyKind.chunked) this.upstream!.unframe();
    this.unframed = isOld && head.bodyKind === BodyKind.chunked;
    this.chunksResponse = !isOld && head.bodyKind === BodyKind.untilClose;
    // HTTP/1.0 learns a body's end from the connection's; bytes of a tunnel that never came to be are no request.
    const isSwitching = switchesProtocol(this.upgrade, head.status);
    if ((isOld && head.bodyKind > BodyKind.length) || (this.upgrade !== '' && !isSwitching))
      server.isLast = true;
    // As in Envoy: the time is the upstream's only where it had the whole request.
    this.readAt = context.clock.monotonic();
    const serviceTimeMs =
      settings.addsEnvoyHeaders && this.requestEnded && this.upgrade === ''
        ? Math.round(this.readAt - this.upstreamStartedAt)
        : -1;
    const connection = isSwitching ? switchedLine(this.upgrade, head) : this.connectionLine();
    this.responseStarted = true;
    this.writeHead(
      forwardedResponse(
        head,
        this.request,
        this.route!,
        client,
        this.chunksResponse,
        connection,
        serviceTimeMs,
        settings,
        context,
      ),
    );
  }

  onInterimResponse(head: ResponseHead): void {
    this.limits.sawActivity = true;
    const isOfUse = head.status === 100 || head.status === 103;
    if (!isOfUse || !this.settings.server.forwardsExpectation) return;
    const nothing = { replaced: null, added: '' };
    this.server.writeInterim(writeResponseHead(head, this.settings.responseFilter, nothing, 'HTTP/1.1'));
  }

  onUpgraded(head: ResponseHead): void {
    const upstream = this.upstream!;
    this.onResponseHead(head);
    this.readAt = -1;
    const tunnel = this.openTunnel();
    tunnel.open(this.connection, upstream.startTunnel(tunnel.upstream));
    this.upstream = null;
    this.server.startTunnel(tunnel.client);
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.bytesSent += end - start;
    this.limits.sawActivity = true;
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

  onResponseTrailers(lines: string): void {
    if (this.settings.server.takesTrailers && !this.unframed) this.server.writeText(lines);
  }

  onResponsePause(): void {
    this.readAt = -1;
    if (!this.server.flush()) this.upstream?.pauseResponse();
  }

  onResponseEnd(): void {
    const isChunked = this.responseHead!.bodyKind === BodyKind.chunked;
    if (isChunked) this.bytesSent = this.upstream!.chunkedBytes;
    this.upstream = null;
    if (this.chunksResponse) this.server.writeText(lastChunk);
    this.finish();
    this.server.endResponse();
  }

  onRequestDrain(): void {
    this.server.resumeRequest();
  }

  // TunnelOwner

  onTunnelConnected(): void {
    const { tunnel } = this;
    this.waiting = false;
    this.upstreamStartedAt = this.context.clock.monotonic();
    this.responseStarted = true;
    this.responseCode = 200;
    this.responseCodeDetails = 'via_upstream';
    const { date } = this.context;
    this.writeHead(`HTTP/1.1 200 OK\r\ndate: ${date.now()}\r\n${this.settings.serverLine}\r\n`);
    tunnel!.open(this.connection, this.rawConnection!);
    this.server.startTunnel(tunnel!.client);
  }

  onTunnelConnectFailed(error: TransportError): void {
    this.tunnel = null;
    this.onConnectFailed(error);
  }

  onTunnelClosed(ending: TunnelEnding): void {
    const tunnel = this.tunnel!;
    this.tunnel = null;
    if (!this.active) return;
    this.bytesReceived = tunnel.client.received;
    this.bytesSent = tunnel.upstream.received;
    if (ending === 'client-gone') {
      this.responseFlags = 'DC';
      this.responseCodeDetails = 'downstream_remote_disconnect';
    } else if (ending === 'upstream-gone') {
      this.responseFlags = 'UC';
      this.responseCodeDetails = 'upstream_reset_after_response_started{connection_termination}';
    } else if (ending === 'idle') {
      this.settings.server.metrics.streamIdleTimeouts.value++;
      this.responseFlags = 'SI';
      this.responseCodeDetails = 'stream_idle_timeout';
    }
    this.finish();
  }

  onUpstreamFailed(failure: UpstreamFailure): void {
    const stale = this.upstream !== null && this.upstream.requestCount > 1;
    this.upstream = null;
    this.upstreamTransportFailureReason = failure.detail;
    if (this.responseStarted) {
      // A body that stops before its end breaks the protocol, whoever ended the connection.
      this.responseFlags = 'UPE';
      this.responseCodeDetails = 'upstream_reset_after_response_started{protocol_error}';
      this.settings.server.metrics.responsesReset.value++;
      this.finish();
      this.server.abort();
      return;
    }
    // The keep-alive race: the peer closed a reused connection while the request was on its way. Not one byte came back.
    if (failure.beforeResponse && stale && !this.bodyForwarded && isIdempotent(this.head!.method)) {
      this.waiting = true;
      poolFor(this.endpoint!, this.connection, this.route!.priority).acquireFresh(this);
      return;
    }
    this.reply(
      failure.kind === 'protocol-error' ? LocalReplies.protocolError : LocalReplies.connectionTermination,
    );
  }

  // LimitedExchange: the rest is in what this extends

  onResponseOverdue(): void {
    if (!this.active) return;
    if (this.cluster !== null) this.cluster.metrics.requestTimeouts.value++;
    if (this.endpoint !== null) this.endpoint.requestTimeouts++;
    this.letUpstreamGo();
    this.giveUp(LocalReplies.requestTimeout);
  }

  override onIdle(): void {
    super.onIdle();
    this.requestText = '';
    this.route = null;
    this.cluster = null;
    this.endpoint = null;
  }

  protected override begin(head: RequestHead | null): void {
    super.begin(head);
    this.route = null;
    this.cluster = null;
    this.endpoint = null;
    this.upstream = null;
    this.requestText = '';
    this.bodyForwarded = false;
    this.chunksResponse = false;
    this.connectAttempts = 0;
    this.tunnelsRaw = false;
    this.rawConnection = null;
    this.unframed = false;
  }

  protected override closeTunnel(): boolean {
    if (this.tunnel === null || !this.tunnel.isOpen) return false;
    this.tunnel.close('given-up');
    return true;
  }

  /** Whether the request may become what it asks for; false where it was refused. */
  private grantUpgrade(head: RequestHead, route: RouteMatch<unknown>): boolean {
    const wanted = wantedUpgrade(head);
    if (wanted === '') return true;
    const decision = upgradeDecision(wanted, route.upgrades, this.settings.upgrades);
    if (decision === 'refuse') {
      this.settings.server.metrics.upgradesRefused.value++;
      this.server.isLast = true;
      this.reply(LocalReplies.upgradeNotAllowed);
      return false;
    }
    this.upgrade = wanted;
    this.tunnelsRaw = decision === 'tunnel';
    this.settings.server.metrics.upgradesTotal.value++;
    this.settings.server.metrics.upgradesActive.value++;
    return true;
  }

  private openTunnel(): Tunnel {
    this.limits.becomeTunnel();
    const clientSent = this.settings.server.metrics.bytesSent;
    const upstreamSent = this.cluster!.metrics.bytesSent;
    const { timers } = this.context;
    this.tunnel = new Tunnel(this, clientSent, upstreamSent, timers, this.limits.idleTimeoutMs);
    return this.tunnel;
  }

  private toCluster(match: RouteMatch<ClusterSlot<ConnectionPool>>): void {
    this.upstreamCluster = match.clusterName;
    const cluster = match.cluster === null ? null : match.cluster.get();
    if (cluster === null) {
      this.settings.server.metrics.clustersNotFound.value++;
      this.reply({ ...LocalReplies.clusterNotFound, status: match.clusterNotFoundStatus });
      return;
    }
    this.cluster = cluster;
    if (cluster.config.isPassthrough && this.hasPassedHere()) {
      this.reply(LocalReplies.loopDetected);
      return;
    }
    const endpoint = cluster.pick(this.context.random, this.request.authority, this);
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
    if (this.upgrade !== '' && this.tunnelsRaw) {
      this.connectRaw(endpoint);
      return;
    }
    this.waiting = true;
    // Handed over before `acquire` returns, a connection costs no look at the clock.
    this.isHandedOverAtOnce = this.connectAttempts === 1;
    poolFor(endpoint, this.connection, this.route!.priority).acquire(this);
    this.isHandedOverAtOnce = false;
  }

  /** Applies the listener's rules to the request; false where they answered it. */
  private admit(head: RequestHead): boolean {
    switch (this.request.admit(head, this.settings.request, this.context.random)) {
      case Admission.badPath:
        this.settings.server.metrics.failedPathNormalizations.value++;
        this.server.isLast = true;
        this.reply(LocalReplies.badPath);
        return false;
      case Admission.redirected:
        this.settings.server.metrics.redirectedPaths.value++;
        this.send(307, '-', 'path_normalization_failed', `location: ${this.request.path}\r\n`, noBytes);
        return false;
      case Admission.noPath:
        this.settings.server.metrics.nonRelativePaths.value++;
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

  /** CONNECT that ends here: the upstream gets the tunnel's bytes and nothing else. */
  private connectRaw(endpoint: Endpoint<ConnectionPool>): void {
    const tunnel = this.openTunnel();
    this.rawConnection = poolFor(endpoint, this.connection, this.route!.priority).connectRaw(tunnel.upstream);
    if (this.rawConnection !== null) return;
    this.tunnel = null;
    this.refuseForOverflow();
  }

  protected override countUpstream(): void {
    const { cluster, endpoint } = this;
    if (cluster === null) return;
    const { metrics } = cluster;
    metrics.countResponse(this.responseCode);
    if (endpoint === null) return;
    if (this.responseHead !== null) {
      metrics.requestTimeMs.observe(this.startedAt + this.durationMs - this.upstreamStartedAt);
      if (this.responseHead.status < 500) endpoint.requestsSucceeded++;
      else endpoint.requestsFailed++;
    } else if (this.responseCode > 0) {
      endpoint.requestsFailed++;
    }
  }

  protected override letUpstreamGo(): void {
    if (this.waiting) {
      poolFor(this.endpoint!, this.connection, this.route!.priority).cancel(this);
      this.waiting = false;
    }
    const upstream = this.upstream;
    this.upstream = null;
    upstream?.abandon();
    this.heldBody = noBytes;
    // One that isn't open yet: an open tunnel ends by itself.
    if (this.tunnel !== null) {
      this.tunnel.close('given-up');
      this.rawConnection?.destroy();
      this.tunnel = null;
    }
  }
}
