// Hot path.
// One request on its way through the proxy and its response on the way back. One object per client connection, used for
// one request after the other: between two writes it allocates the strings of the two heads and nothing else.
import type { ClientStream, UpstreamExchange, UpstreamFailure } from '../codec/client-stream.ts';
import type { FieldList } from '../codec/field-list.ts';
import { BodyKind, type RequestHeadView, type ResponseHeadView } from '../codec/message-view.ts';
import { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { InternalRedirectPolicy } from '../routing/internal-redirect.ts';
import type { MirrorPolicy } from '../routing/mirror-policy.ts';
import type { RetryPolicy } from '../routing/retry-policy.ts';
import type { TransportError } from '../transport/transport.ts';
import { tellAttempts, tellTimeoutRetry } from './attempt-count.ts';
import { forwardAgain, forwardRequest } from './forwarded-request.ts';
import { forwardResponse } from './forwarded-response.ts';
import { isIdempotent } from './idempotent.ts';
import { LocalReplies, type LocalReply, connectFailure, resetReply, withFlag } from './response-flags.ts';
import { type NextRequest, RedirectFollower } from './redirect-follower.ts';
import { type ClusterRoute, RoutedExchange } from './routed-exchange.ts';
import { ShadowRequest, type ShadowedRequest } from './shadow-request.ts';
import { TryWatch, type WatchedTry } from './try-watch.ts';
import { responseKind, switchesProtocol } from './upgrade-rules.ts';
import { addWebSocketKey, hideAccept, isAccepted } from './websocket-handshake.ts';

export class ProxyExchange extends RoutedExchange implements UpstreamExchange, WatchedTry {
  private isPrepared = false;
  /** It has failed untouched, and goes to the same endpoint for the second time. */
  private isRepeated = false;
  private bodyForwarded = false;
  /** Null before the first request of a route that limits its tries. */
  private tryWatch: TryWatch | null = null;
  private followsTimeout = false;
  /** The `Sec-WebSocket-Accept` that is to come; empty where it is the client who knows, or nobody. */
  private accept = '';
  /** Null before the first request of a route that follows redirects. */
  private follower: RedirectFollower | null = null;
  /** Follows as soon as the response that redirects is over. */
  private next: NextRequest | null = null;
  /** Copies of the request, as long as it is coming. */
  private shadows: ShadowRequest[] = [];

  // ServerExchange: the client's side

  onRequestHead(head: RequestHeadView): void {
    this.begin(head);
    if (!this.admit(head)) return;
    if (this.follower !== null) this.follower.begin();
    this.next = null;
    this.goTo(head, this.settings.routes.current?.match(this.request, this.context.random) ?? null);
  }

  private goTo(head: RequestHeadView, match: ClusterRoute | null): void {
    if (match !== null && !this.takeRoute(head, match)) return;
    if (this.passesFilters(match)) this.goToRoute(head, match);
  }

  protected override goToRoute(head: RequestHeadView, match: ClusterRoute | null): void {
    const { metrics } = this.settings.server;
    metrics.requestsRouted.value++;
    if (match === null) {
      metrics.routesNotFound.value++;
      this.reply(LocalReplies.routeNotFound);
      return;
    }
    if (match.hasOwnLimits && !this.applyLimits(head, match)) return;
    if (match.kind !== 'forward') {
      this.answerFor(match);
      return;
    }
    if (match.mirrors === null) this.toCluster(match);
    else this.toClusterAndMirrors(match, match.mirrors);
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (!this.active) return;
    this.bytesReceived += end - start;
    this.limits.sawActivity = true;
    if (this.maxRequestBytes >= 0 && this.server.bodyBytes > this.maxRequestBytes) {
      this.refuseBody();
      return;
    }
    const { held } = this;
    if (held.limit >= 0 && this.server.bodyBytes > held.limit) this.outgrow();
    // Of a body in chunks nothing is counted: it is passed on as it is.
    if (this.outgoing.bodyKind !== BodyKind.chunked) this.call?.onRequestData(buffer, start, end);
    for (const shadow of this.shadows) shadow.addBody(buffer, start, end);
    if (this.upstream === null || this.isConnect) {
      held.bytes.add(buffer, start, end);
      this.server.pauseRequest();
      return;
    }
    if (held.isKept) held.bytes.add(buffer, start, end);
    else this.bodyForwarded = true;
    if (!this.upstream.sendBody(buffer, start, end)) this.server.pauseRequest();
  }

  onRequestTrailers(fields: FieldList): void {
    if (!this.active) return;
    const { upstream } = this;
    for (const shadow of this.shadows) shadow.addTrailers(fields);
    if (upstream !== null) {
      upstream.sendTrailers(fields);
      if (!this.held.isKept) {
        this.bodyForwarded = true;
        return;
      }
    }
    const isPartOfBody = this.outgoing.bodyKind === BodyKind.chunked;
    if (isPartOfBody && !this.cluster!.config.connections.responses.takesTrailers) return;
    this.held.addTrailers(fields, isPartOfBody);
  }

  onRequestEnd(): void {
    if (!this.active) return;
    this.requestEnded = true;
    this.limits.endRequest();
    for (const shadow of this.shadows) shadow.endRequest();
    if (this.shadows.length > 0) this.shadows = [];
    this.upstream?.endRequest();
    if (this.upstream !== null) this.limitTry();
    // What was asked for may last: only standing still ends it.
    if (this.upgrade !== '' || this.isPaused) return;
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

  onConnection(stream: ClientStream): void {
    this.waiting = false;
    this.upstream = stream;
    this.upstreamLocalAddress = stream.localAddress;
    this.upstreamStartedAt = this.isHandedOverAtOnce ? this.startedAt : this.context.clock.monotonic();
    if (this.isPrepared) {
      forwardAgain(this.outgoing, this.request, this.route!, this.leftMs, this.endpoint!.name);
      if (this.route!.tellsTimeoutRetries && this.retries.attempts > 1)
        tellTimeoutRetry(this.outgoing, this.followsTimeout);
    } else {
      this.prepareRequest();
    }
    if (this.route!.tellsAttempts) tellAttempts(this.outgoing, this.retries.attempts);
    if (this.upgrade === 'websocket') {
      const { wantsWebSocketKey } = stream;
      this.accept = addWebSocketKey(this.outgoing, this.head!, wantsWebSocketKey, this.context.random);
    }
    let writable = stream.sendHead(this, this.outgoing, responseKind(this.upgrade, this.head!.method));
    if (this.requestEnded) this.limitTry();
    // Behind CONNECT comes no body, but what is the tunnel's once it is granted.
    if (this.isConnect) {
      stream.endRequest();
      return;
    }
    const { bytes, length } = this.held.bytes;
    const { trailers } = this.held;
    if (!this.held.isKept) {
      this.held.release();
      this.bodyForwarded = length > 0 || trailers !== null;
    }
    if (length > 0) writable = stream.sendBody(bytes, 0, length);
    if (trailers !== null) stream.sendTrailers(trailers);
    if (this.requestEnded) stream.endRequest();
    else if (writable) this.server.resumeRequest();
  }

  onConnectFailed(error: TransportError): void {
    this.waiting = false;
    this.upstreamTransportFailureReason = error.detail;
    const flag = this.tryAgain(this.route!.retryPolicy?.coversConnectFailure === true);
    if (flag !== null) this.reply(withFlag(flag, connectFailure(error)));
  }

  // UpstreamExchange: the upstream's side

  onResponseHead(head: ResponseHeadView): void {
    this.limits.sawActivity = true;
    const { retryPolicy } = this.route!;
    const mayRetry = retryPolicy !== null && (retryPolicy.looksAtResponses || this.retries.attempts > 1);
    if (mayRetry && this.isTriedAgain(head, retryPolicy)) return;
    this.passHeadOn(head);
  }

  onInterimResponse(head: ResponseHeadView): void {
    this.limits.sawActivity = true;
    const isOfUse = head.status === 100 || head.status === 103;
    if (!isOfUse || !this.settings.server.forwardsExpectation) return;
    const interim = new OutgoingResponse();
    interim.head = head;
    interim.status = head.status;
    interim.filter = this.settings.responseFilter;
    this.server.sendInterim(interim);
  }

  onUpgraded(head: ResponseHeadView): void {
    const upstream = this.upstream!;
    if (this.accept !== '' && !isAccepted(head, this.accept)) {
      upstream.abandon();
      this.onUpstreamFailed(notAccepted);
      return;
    }
    this.limits.sawActivity = true;
    // What the upstream has agreed to is tried no other time, whatever its status stands for.
    this.passHeadOn(head);
    this.readAt = -1;
    const tunnel = this.openTunnel(upstream.tunnelSent);
    this.upstream = null;
    tunnel.open(this.server, upstream.startTunnel(tunnel.upstream), this.held.bytes);
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.bytesSent += end - start;
    this.limits.sawActivity = true;
    if (this.tryWatch !== null) this.tryWatch.touch();
    if (this.call !== null && this.response.bodyKind !== BodyKind.chunked)
      this.call.onResponseData(buffer, start, end);
    if (!this.server.sendBody(buffer, start, end)) this.upstream?.pauseResponse();
  }

  onResponseTrailers(fields: FieldList): void {
    this.call?.onTrailers(fields.value('grpc-status'));
    this.server.sendTrailers(fields);
  }

  onResponsePause(): void {
    this.readAt = -1;
    if (!this.server.flush()) this.upstream?.pauseResponse();
  }

  onResponseEnd(): void {
    // That of a response in whose place there is another try, or another request.
    if (this.upstream === null) {
      if (this.next !== null && this.active) this.goOnAs(this.next);
      return;
    }
    if (this.response.bodyKind === BodyKind.chunked) this.bytesSent = this.upstream.chunkedBytes;
    this.upstream = null;
    this.finish();
    this.server.endResponse();
  }

  onRequestDrain(): void {
    this.server.resumeRequest();
  }

  onUpstreamFailed(failure: UpstreamFailure): void {
    const isReused = this.upstream !== null && this.upstream.isReused;
    this.upstream = null;
    this.followsTimeout = false;
    if (this.tryWatch !== null) this.tryWatch.end();
    if (failure.kind === 'connection-termination') this.upstreamTransportFailureReason = failure.detail;
    const reply = resetReply(failure.kind);
    if (this.responseStarted) {
      this.responseFlags = reply.flag;
      this.responseCodeDetails = reply.details.replace('before', 'after');
      this.settings.server.metrics.responsesReset.value++;
      this.finish();
      this.server.abort();
      return;
    }
    if (this.isUntouched(failure, isReused)) {
      this.isRepeated = true;
      this.waiting = true;
      const pool = this.choosePool(this.endpoint!);
      if (failure.kind === 'refused') pool.acquire(this);
      else pool.acquireFresh(this);
      return;
    }
    const flag = this.tryAgain(this.isRetriable(failure));
    if (flag !== null) this.reply(withFlag(flag, reply));
  }

  // WatchedTry

  onTryOverdue(): void {
    if (this.upstream === null || this.responseStarted) return;
    this.cluster!.metrics.tryTimeouts.value++;
    this.failTry(LocalReplies.tryTimeout);
  }

  onTryIdle(): void {
    if (this.upstream === null) return;
    this.cluster!.metrics.tryIdleTimeouts.value++;
    this.failTry(LocalReplies.idleTry);
  }

  // LimitedExchange: the rest is in what this extends

  onResponseOverdue(): void {
    if (!this.active) return;
    if (this.cluster !== null) this.cluster.metrics.requestTimeouts.value++;
    if (this.endpoint !== null) this.endpoint.requestTimeouts++;
    this.letUpstreamGo();
    this.giveUp(LocalReplies.requestTimeout);
  }

  protected override begin(head: RequestHeadView | null): void {
    super.begin(head);
    this.isPrepared = false;
    this.isRepeated = false;
    this.bodyForwarded = false;
    this.followsTimeout = false;
    this.accept = '';
  }

  protected override countUpstream(): void {
    // Of a request that is not complete no copy can be.
    for (const shadow of this.shadows) shadow.giveUp();
    if (this.shadows.length > 0) this.shadows = [];
    if (this.tryWatch !== null) this.tryWatch.end();
    super.countUpstream();
  }

  protected override letUpstreamGo(): void {
    if (this.tryWatch !== null) this.tryWatch.end();
    super.letUpstreamGo();
  }

  /** There is more of the body than is kept: this try is the last. */
  private outgrow(): void {
    const { held, retries } = this;
    held.limit = -1;
    if (this.route!.retryPolicy !== null || this.route!.internalRedirect !== null) {
      retries.isOver = true;
      this.cluster!.metrics.retriesAbandoned.value++;
    }
    if (!held.isKept) return;
    held.isKept = false;
    // In a pause between two tries it is still to be sent.
    if (this.upstream === null) return;
    held.release();
    this.bodyForwarded = true;
  }

  /** The upstream has the whole request: the times of the try begin. Before that it may be the client who is slow. */
  private limitTry(): void {
    const { tryLimits } = this.route!;
    if (tryLimits === null) return;
    this.tryWatch ??= new TryWatch(this.context, this);
    this.tryWatch.watchIdle(tryLimits.idleTimeoutMs);
    const ms = this.tryTimeoutMs;
    if (ms > 0) this.tryWatch.limit(ms);
  }

  /** `per_try_timeout` as far as it is shorter than that of all tries together; 0 for none. */
  private get tryTimeoutMs(): number {
    const { tryLimits } = this.route!;
    if (tryLimits === null) return 0;
    const { timeoutMs } = this;
    return timeoutMs > 0 && tryLimits.timeoutMs >= timeoutMs ? 0 : tryLimits.timeoutMs;
  }

  /** What an upstream is told that it has, now that some of the time has passed. */
  private get leftMs(): number {
    const { timeoutMs, tryTimeoutMs } = this;
    if (timeoutMs === 0) return tryTimeoutMs;
    const leftMs = Math.max(1, timeoutMs - (this.context.clock.monotonic() - this.startedAt));
    return tryTimeoutMs > 0 ? Math.min(tryTimeoutMs, leftMs) : leftMs;
  }

  /** The try is over for its time; another one may follow. */
  private failTry(reply: LocalReply): void {
    this.endpoint!.requestTimeouts++;
    this.tryWatch!.end();
    const upstream = this.upstream!;
    this.upstream = null;
    upstream.abandon();
    if (this.responseStarted) {
      this.giveUp(reply);
      return;
    }
    this.followsTimeout = true;
    const flag = this.tryAgain(this.route!.retryPolicy?.coversReset(false) === true);
    if (flag !== null) this.reply(withFlag(flag, reply));
  }

  /** Whether the proxy follows the redirect itself: the request then goes on as another one. */
  private isRedirected(head: ResponseHeadView, policy: InternalRedirectPolicy): boolean {
    if (!policy.statuses.has(head.status)) return false;
    const { metrics } = this.cluster!;
    const isWhole = this.requestEnded && !this.bodyForwarded && this.changedBodyKind < 0;
    this.follower ??= new RedirectFollower();
    const next =
      isWhole && this.upgrade === ''
        ? this.follower.follow(head, policy, {
            sent: this.outgoing,
            protocol: this.head!.protocol,
            scheme: this.request.scheme,
            routeName: this.routeName,
            settings: this.settings,
            random: this.context.random,
          })
        : null;
    if (next === null) {
      metrics.redirectsPassedOn.value++;
      return false;
    }
    metrics.redirectsFollowed.value++;
    const upstream = this.upstream!;
    this.upstream = null;
    // One that ends with its head is over at once, and its connection as good as before.
    if (head.isWhole) {
      this.next = next;
    } else {
      upstream.abandon();
      this.goOnAs(next);
    }
    return true;
  }

  /** The client's request goes on as this one, as if it had come so, but for the listener's rules. */
  private goOnAs({ request, match }: NextRequest): void {
    this.next = null;
    const { held, retries } = this;
    this.countRequest(request.head);
    if (this.tryWatch !== null) this.tryWatch.end();
    retries.end();
    retries.attempts = 0;
    retries.isOver = false;
    this.isPrepared = false;
    this.isRepeated = false;
    this.followsTimeout = false;
    if (request.dropsBody) held.release();
    // Whoever redirected has nothing to do with what comes of it.
    this.cluster = null;
    this.endpoint = null;
    this.upstreamCluster = '';
    this.upstreamHost = '';
    this.upstreamLocalAddress = '';
    held.isKept = false;
    held.limit = -1;
    this.head = request.head;
    this.request.resume(request.head, request.scheme);
    this.limits.restartResponse();
    this.goTo(request.head, match);
    if (!this.active || this.route?.kind !== 'forward') return;
    this.limits.limitResponse(this.timeoutMs, this.context.clock.monotonic());
  }

  private toClusterAndMirrors(
    match: ClusterRoute,
    mirrors: readonly MirrorPolicy<ClusterSlot<ConnectionPool>>[],
  ): void {
    const { bytes, trailers } = this.held;
    const { bytes: body, length } = bytes;
    this.toCluster(match);
    this.startShadows(mirrors);
    if (!this.requestEnded) return;
    // Of a request that goes on as another one all has come already.
    for (const shadow of this.shadows) {
      if (length > 0) shadow.addBody(body, 0, length);
      if (trailers !== null) shadow.addTrailers(trailers);
      shadow.endRequest();
    }
    this.shadows = [];
  }

  /** Sends copies of the request wherever their policies say. */
  private startShadows(policies: readonly MirrorPolicy<ClusterSlot<ConnectionPool>>[]): void {
    if (!this.active || this.endpoint === null || this.upgrade !== '') return;
    if (!this.isPrepared) this.prepareRequest();
    const { context, route } = this;
    if (route!.tellsAttempts) tellAttempts(this.outgoing, this.retries.attempts);
    const shadowed: ShadowedRequest = {
      head: this.outgoing,
      priority: route!.priority,
      connection: this.connection,
      timeoutMs: this.timeoutMs,
      bufferLimitBytes: this.settings.bufferLimitBytes,
    };
    for (const { cluster, clusterHeader, fraction, marksHost } of policies) {
      if (fraction !== null && context.random.uint32() % fraction.denominator >= fraction.numerator) continue;
      const slot =
        clusterHeader === null ? cluster : clusterHeader.find(this.requestHeader(clusterHeader.name) ?? '');
      const built = slot === null ? null : slot.get();
      if (built === null) continue;
      const shadow = new ShadowRequest(context, built, shadowed, marksHost);
      this.shadows.push(shadow);
      shadow.send();
    }
  }

  private prepareRequest(): void {
    this.isPrepared = true;
    const toldMs = this.tryTimeoutMs > 0 ? this.tryTimeoutMs : this.timeoutMs;
    if (this.route!.grpcTimeout !== null) this.passDeadlineOn(this.route!.grpcTimeout, toldMs);
    forwardRequest(
      this.outgoing,
      this.head!,
      this.request,
      this.route!,
      toldMs,
      this.cluster!.config.isPassthrough,
      this.settings,
      this.context,
      this.endpoint!.name,
      this,
    );
    this.outgoing.upgrade = this.upgrade;
  }

  /** It is the answer that the client gets. */
  private passHeadOn(head: ResponseHeadView): void {
    const { internalRedirect } = this.route!;
    if (internalRedirect !== null && this.isRedirected(head, internalRedirect)) return;
    if (this.held.isKept) this.held.release();
    // What of the body follows is not missed: there is no other try.
    this.held.limit = -1;
    if (this.tryWatch !== null) this.tryWatch.answered();
    this.responseHead = head;
    this.responseCode = head.status;
    this.responseCodeDetails = 'via_upstream';
    const { settings, context, server, response } = this;
    // HTTP/1.0 and HTTP/2 know no chunks.
    const isUnframed = head.bodyKind === BodyKind.chunked && !server.takesChunks;
    if (isUnframed) this.upstream!.unframeResponse();
    response.bodyKind = isUnframed ? BodyKind.untilEnd : head.bodyKind;
    const isSwitching = switchesProtocol(this.upgrade, head.status);
    response.upgrade = isSwitching ? this.upgrade : '';
    // Bytes of a tunnel that never came to be are no request.
    if (this.upgrade !== '' && !isSwitching) server.endConnection();
    // As in Envoy: the time is the upstream's only where it had the whole request.
    this.readAt = context.clock.monotonic();
    const serviceTimeMs =
      this.requestEnded && this.upgrade === '' ? Math.round(this.readAt - this.upstreamStartedAt) : -1;
    this.beginResponse();
    if (this.call !== null) noteHead(this.call, head);
    forwardResponse(response, head, this.request, this.route!, serviceTimeMs, settings, context, this);
    if (this.route!.returnsAttempts) tellAttempts(response, this.retries.attempts);
    if (this.accept !== '') hideAccept(response);
    server.sendHead(response);
  }

  /** Null: another try follows; otherwise the flag that says why none does, or nothing. */
  private tryAgain(isCovered: boolean, toldPauseMs = -1): string | null {
    return this.retries.ask(isCovered, !this.bodyForwarded, this.route!, this.cluster!, toldPauseMs);
  }

  /**
   * Whether it can be sent once more whatever the route says: the upstream has not looked at it. It says so, or it closed a
   * reused connection while an idempotent request was on its way (the keep-alive race): not one byte came back.
   */
  private isUntouched({ kind, beforeResponse }: UpstreamFailure, isReused: boolean): boolean {
    if (!beforeResponse || this.bodyForwarded || this.isRepeated) return false;
    if (kind === 'refused') return true;
    return kind === 'connection-termination' && isReused && isIdempotent(this.head!.method);
  }

  /** Whether the route has it tried again. Behind an interim response the client has seen part of an answer. */
  private isRetriable({ kind, beforeResponse }: UpstreamFailure): boolean {
    const sawNothing = beforeResponse || !this.settings.server.forwardsExpectation;
    return sawNothing && this.route!.retryPolicy?.coversReset(kind === 'refused') === true;
  }

  /** Whether another try takes the place of this response. */
  private isTriedAgain(head: ResponseHeadView, policy: RetryPolicy): boolean {
    const isCovered = policy.coversResponse(head);
    const toldPauseMs = isCovered ? policy.toldPauseMs(head, this.context.clock.now()) : -1;
    this.followsTimeout = false;
    const flag = this.tryAgain(isCovered, toldPauseMs);
    if (flag === null) {
      if (this.tryWatch !== null) this.tryWatch.end();
      this.cluster!.metrics.countRetriedResponse(head.status);
      const upstream = this.upstream!;
      this.upstream = null;
      // One that ends with its head is over at once, and its connection as good as before.
      if (!head.isWhole || !this.requestEnded) upstream.abandon();
      return true;
    }
    if (flag !== '') this.responseFlags = flag;
    return false;
  }
}

function noteHead(call: GrpcCall, head: ResponseHeadView): void {
  const { status, bodyKind } = head;
  const grpcStatus = head.header('grpc-status');
  call.onResponseHead(status, head.header('content-type'), grpcStatus, bodyKind === BodyKind.none);
}

const notAccepted: UpstreamFailure = Object.freeze({
  kind: 'protocol-error',
  detail: 'Sec-WebSocket-Accept does not fit the key',
  beforeResponse: false,
});
