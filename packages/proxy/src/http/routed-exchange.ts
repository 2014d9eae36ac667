// Hot path.
// Where a request goes, and what it has or awaits there: route, cluster, endpoint, its place in a pool, a tunnel.
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import { type ConnectionPool, type ConnectionWaiter, poolFor } from '../cluster/connection-pool.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import type { UpstreamProtocol } from '../cluster/upstream-protocol.ts';
import type { ByteCount } from '../codec/byte-count.ts';
import type { ClientStream } from '../codec/client-stream.ts';
import { BodyKind, type RequestHeadView } from '../codec/message-view.ts';
import { OutgoingRequest } from '../codec/outgoing-request.ts';
import { responseTimeoutMs } from '../grpc/timeout-rules.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { Connection, TransportError } from '../transport/transport.ts';
import { tellAttempts } from './attempt-count.ts';
import { DownstreamExchange } from './downstream-exchange.ts';
import { Hash64 } from '../hash/hash64.ts';
import type { HashPolicy } from '../routing/hash-policy.ts';
import { HeldRequest } from './held-request.ts';
import type { HttpSettingsSlot, ProxyContext } from './http-settings.ts';
import { LocalReplies } from './response-flags.ts';
import { RetryState } from './retry-state.ts';
import { Tunnel, type TunnelEnding, type TunnelOwner } from './tunnel.ts';
import { upgradeDecision } from './upgrade-rules.ts';

/** Of a call whose route tries nothing again, so much is kept for an upstream that refuses it unseen. */
const maxCallBytes = 64 * 1024;

/** A route as exchanges meet it. */
export type ClusterRoute = RouteMatch<ClusterSlot<ConnectionPool>>;

export abstract class RoutedExchange extends DownstreamExchange implements ConnectionWaiter, TunnelOwner {
  protected route: ClusterRoute | null = null;
  protected cluster: Cluster<ConnectionPool> | null = null;
  protected endpoint: Endpoint<ConnectionPool> | null = null;
  /** That of `endpoint` which was asked last for a connection. */
  private pool: ConnectionPool | null = null;
  protected upstream: ClientStream | null = null;
  protected upstreamStartedAt = 0;
  protected readonly outgoing = new OutgoingRequest();
  /** It is in a pool's queue, or its connection is being made. */
  protected waiting = false;
  protected isHandedOverAtOnce = false;
  protected readonly retries: RetryState;
  /** What came before there was a connection for it (reading is paused meanwhile), and what may be sent again. */
  protected readonly held = new HeldRequest();
  pickHash: Hash64 | null = null;
  pickAttempt = 0;
  /** Null before the first request of a route with a hash policy. */
  private ownHash: Hash64 | null = null;
  private tunnel: Tunnel | null = null;
  private tunnelsRaw = false;
  /** The upstream's side of a tunnel that is no answer to an upgrade. */
  private rawConnection: Connection | null = null;

  constructor(context: ProxyContext, slot: HttpSettingsSlot) {
    super(context, slot);
    this.retries = new RetryState(context, context.random, () => this.toCluster(this.route!));
  }

  get upstreamAttempts(): number {
    return this.retries.attempts;
  }

  /** Does with a request that has passed the filters what its route, where there is one, says. */
  protected abstract goToRoute(head: RequestHeadView, match: ClusterRoute | null): void;
  abstract onConnection(stream: ClientStream): void;
  abstract onConnectFailed(error: TransportError): void;

  get wantsUpgrade(): boolean {
    return this.upgrade !== '' && this.upgrade !== 'connect';
  }

  get hasUpgradeBody(): boolean {
    return this.head!.bodyKind !== BodyKind.none;
  }

  onOverflow(): void {
    this.waiting = false;
    this.refuseForOverflow();
  }

  override detach(): void {
    super.detach();
    this.route = null;
    this.cluster = null;
    this.endpoint = null;
    this.pool = null;
    this.rawConnection = null;
    this.held.clear();
  }

  // TunnelOwner

  onTunnelConnected(): void {
    const { tunnel } = this;
    this.waiting = false;
    this.wasConnection = true;
    this.upstreamStartedAt = this.context.clock.monotonic();
    this.beginResponse();
    this.responseCode = 200;
    this.responseCodeDetails = 'via_upstream';
    const { response } = this;
    response.clear();
    response.status = 200;
    response.upgrade = this.upgrade;
    response.added.copy(this.ownReplyFields());
    this.server.sendHead(response);
    tunnel!.open(this.server, this.rawConnection!, this.held.bytes);
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

  protected override begin(head: RequestHeadView | null): void {
    super.begin(head);
    this.route = null;
    this.cluster = null;
    this.endpoint = null;
    this.upstream = null;
    this.held.clear();
    this.retries.attempts = 0;
    this.retries.isOver = false;
    this.tunnelsRaw = false;
    this.rawConnection = null;
  }

  protected override closeTunnel(): boolean {
    if (this.tunnel === null || !this.tunnel.isOpen) return false;
    this.tunnel.close('given-up');
    return true;
  }

  /** The request goes this way; false where the route does not let it become what it asks for. */
  protected takeRoute(head: RequestHeadView, route: ClusterRoute): boolean {
    this.route = route;
    this.routeName = route.routeName;
    this.responseHeaders = route.responseHeaders;
    return this.grantUpgrade(head, route);
  }

  /** Whether the request may become what it asks for; false where it was refused. */
  private grantUpgrade(head: RequestHeadView, route: RouteMatch<unknown>): boolean {
    const wanted = head.wantedUpgrade;
    if (wanted === '') return true;
    const decision = upgradeDecision(wanted, route.upgrades, this.settings.upgrades);
    if (decision === 'refuse') {
      this.settings.server.metrics.upgradesRefused.value++;
      this.server.endConnection();
      this.reply(LocalReplies.upgradeNotAllowed);
      return false;
    }
    this.upgrade = wanted;
    this.tunnelsRaw = decision === 'tunnel';
    this.settings.server.metrics.upgradesTotal.value++;
    this.settings.server.metrics.upgradesActive.value++;
    return true;
  }

  /** Nobody knows yet whether chunks may pass as they come. */
  protected override onHeldBack(): void {
    if (this.head!.bodyKind === BodyKind.chunked) {
      this.server.unframeRequest();
      this.changedBodyKind = BodyKind.untilEnd;
    }
    this.outgoing.bodyKind = this.changedBodyKind < 0 ? this.head!.bodyKind : this.changedBodyKind;
  }

  protected override goOn(): void {
    if (this.passesPause(this.route)) this.goToRoute(this.head!, this.route);
    // The time for the response begins with the last of the request, and with its way to the upstream.
    if (this.active && this.requestEnded && !this.responseStarted && this.upgrade === '' && !this.isPaused)
      this.limits.limitResponse(this.timeoutMs, this.context.clock.monotonic());
  }

  protected get isPaused(): boolean {
    return this.pause !== null && this.pause.isWaiting;
  }

  protected toCluster(match: ClusterRoute): void {
    let { cluster: slot } = match;
    if (match.clusterHeader === null) {
      this.upstreamCluster = match.clusterName;
    } else {
      const { name, find } = match.clusterHeader;
      // A retry goes where the first try went, whatever has become of the field.
      if (this.retries.attempts === 0) this.upstreamCluster = this.requestHeader(name) ?? '';
      slot = find(this.upstreamCluster);
    }
    const cluster = slot === null ? null : slot.get();
    if (cluster === null) {
      this.settings.server.metrics.clustersNotFound.value++;
      this.reply({ ...LocalReplies.clusterNotFound, status: match.clusterNotFoundStatus });
      return;
    }
    this.cluster = cluster;
    this.pickAttempt = 0;
    if (this.retries.attempts === 0) {
      this.pickHash = match.hashPolicy === null ? null : this.hashFor(match.hashPolicy);
      this.chooseFraming(cluster.config.connections.protocol);
      if (match.retryPolicy?.coversRequest(this.request) === false) this.retries.isOver = true;
      if (this.head!.bodyKind !== BodyKind.none && this.upgrade === '') this.keepBody(match);
    }
    const { calls } = this.settings;
    if (this.call !== null && calls !== null) this.countCall(this.call, cluster.metrics, calls);
    if (cluster.config.isPassthrough && this.hasPassedHere()) {
      this.reply(LocalReplies.loopDetected);
      return;
    }
    const endpoint =
      match.retryPolicy === null || match.retryPolicy.morePicks === 0
        ? cluster.pick(this.context.random, this.request.authority, this)
        : this.retries.choose(match.retryPolicy.morePicks, (attempt) => {
            this.pickAttempt = attempt;
            return cluster.pick(this.context.random, this.request.authority, this);
          });
    if (endpoint === null) {
      cluster.metrics.requestsWithoutEndpoint.value++;
      this.reply(LocalReplies.noHealthyUpstream);
      return;
    }
    this.toEndpoint(endpoint);
  }

  private hashFor(policy: HashPolicy): Hash64 | null {
    this.ownHash ??= new Hash64();
    return policy.hash(this.request, this.connection.remoteAddress, this.ownHash) ? this.ownHash : null;
  }

  /** Chunks go on as they come where it is sure that the upstream knows them: not where HTTP/2 is agreed on by ALPN perhaps. */
  private chooseFraming(protocol: UpstreamProtocol): void {
    const came = this.head!.bodyKind;
    const bodyKind = this.changedBodyKind < 0 ? came : this.changedBodyKind;
    const isPassedOn =
      bodyKind === BodyKind.chunked &&
      protocol !== 'http2' &&
      protocol !== 'auto' &&
      !this.route!.takesPlainBodies;
    const isUnframed = came === BodyKind.chunked && !isPassedOn;
    if (isUnframed) this.server.unframeRequest();
    this.outgoing.bodyKind = isUnframed ? BodyKind.untilEnd : bodyKind;
  }

  /** Keeps the body where it may be wanted again: a policy says so, or it is that of a gRPC call, few bytes as a rule. */
  private keepBody({ retryPolicy, internalRedirect, keptBodyBytes }: RouteMatch<unknown>): void {
    const isRetried = (retryPolicy !== null || this.isGrpc) && !this.retries.isOver;
    if (!isRetried && internalRedirect === null) return;
    const { held, settings } = this;
    let limit = keptBodyBytes >= 0 ? keptBodyBytes : settings.bufferLimitBytes;
    if (internalRedirect !== null) {
      held.keep(limit, this.head!.contentLength);
      return;
    }
    if (retryPolicy === null) limit = Math.min(limit, maxCallBytes);
    else if (!retryPolicy.repeatsWhatWasSent && !this.isGrpc) {
      held.limit = limit;
      return;
    }
    held.keep(limit, this.head!.contentLength);
  }

  protected choosePool(endpoint: Endpoint<ConnectionPool>): ConnectionPool {
    const isHttp2 = this.head!.protocol === 'HTTP/2';
    this.pool = poolFor(endpoint, this.connection, this.route!.priority, isHttp2);
    return this.pool;
  }

  /** A host outside the mesh may turn out to be this very proxy: a request that carries our name in Via has been here. */
  private hasPassedHere(): boolean {
    return this.head!.header('via')?.includes(this.context.viaName) === true;
  }

  private toEndpoint(endpoint: Endpoint<ConnectionPool>): void {
    this.endpoint = endpoint;
    this.upstreamHost = endpoint.address;
    this.retries.attempts++;
    if (this.upgrade !== '' && this.tunnelsRaw) {
      this.connectRaw(endpoint);
      return;
    }
    this.waiting = true;
    // Handed over before `acquire` returns, a connection costs no look at the clock, unless there was another try or redirect.
    this.isHandedOverAtOnce = this.retries.attempts === 1 && !this.requestEnded;
    this.choosePool(endpoint).acquire(this);
    this.isHandedOverAtOnce = false;
  }

  /** From the request's end to the response's: the caller's where it may say so, else the route's; 0 for none. */
  protected get timeoutMs(): number {
    const { route, request } = this;
    if (request.timeoutMs >= 0) return request.timeoutMs;
    if (route === null) return 0;
    return route.grpcTimeout === null
      ? route.timeoutMs
      : responseTimeoutMs(route.grpcTimeout, route.timeoutMs, this.isGrpc, this.deadlineMs);
  }

  /** CONNECT that ends here: the upstream gets the tunnel's bytes and nothing else. */
  private connectRaw(endpoint: Endpoint<ConnectionPool>): void {
    const pool = this.choosePool(endpoint);
    const tunnel = this.openTunnel(pool.bytesSent);
    this.rawConnection = pool.connectRaw(tunnel.upstream);
    if (this.rawConnection !== null) return;
    this.tunnel = null;
    this.refuseForOverflow();
  }

  protected openTunnel(upstreamSent: ByteCount): Tunnel {
    this.limits.becomeTunnel();
    const { timers } = this.context;
    const traffic = this.tunnelsRaw ? this.settings.calls?.traffic : null;
    const totals = traffic?.connectionsOf(this) ?? null;
    const { idleTimeoutMs } = this.limits;
    this.tunnel = new Tunnel(this, this.server.tunnelSent, upstreamSent, timers, idleTimeoutMs, totals);
    return this.tunnel;
  }

  protected override onLocalResponse(): void {
    if (this.route?.returnsAttempts === true && this.cluster !== null)
      tellAttempts(this.response, Math.max(1, this.retries.attempts));
  }

  protected override countUpstream(): void {
    const { cluster, endpoint } = this;
    this.retries.end();
    if (cluster === null) return;
    const { metrics } = cluster;
    // Whatever a filter, or what gRPC's clients read, made of it.
    metrics.countResponse(this.responseHead?.status ?? (this.ownStatus || this.responseCode));
    if (endpoint === null) return;
    if (this.responseHead !== null) {
      const tookMs = this.startedAt + this.durationMs - this.upstreamStartedAt;
      metrics.requestTimeMs.observe(tookMs);
      if (this.requestEnded && this.settings.calls?.stats?.timesUpstream === true)
        this.call?.onUpstreamTime(tookMs);
      if (this.responseHead.status < 500) endpoint.requestsSucceeded++;
      else endpoint.requestsFailed++;
    } else if (this.wasConnection) {
      endpoint.requestsSucceeded++;
    } else if (this.responseCode > 0) {
      endpoint.requestsFailed++;
    }
  }

  protected override letUpstreamGo(): void {
    this.retries.end();
    if (this.waiting) {
      this.pool!.cancel(this);
      this.waiting = false;
    }
    const upstream = this.upstream;
    this.upstream = null;
    upstream?.abandon();
    this.held.clear();
    // One that isn't open yet: an open tunnel ends by itself.
    if (this.tunnel !== null) {
      this.tunnel.close('given-up');
      this.rawConnection?.destroy();
      this.tunnel = null;
    }
  }
}
