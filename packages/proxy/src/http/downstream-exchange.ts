// Hot path.
// The client's half of an exchange, whoever answers it: begin and end, limits, and the answers that the proxy gives itself.
import { FieldList } from '../codec/field-list.ts';
import { FieldId } from '../codec/field-name.ts';
import { Field } from '../codec/field.ts';
import { BodyKind, type RequestHeadView } from '../codec/message-view.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { LayeredExchange, Rejection, ServerStream } from '../codec/server-stream.ts';
import type { StreamLayer } from '../codec/stream-layer.ts';
import { Rejections } from '../http1/request-rejection.ts';
import type { HeaderMutation } from '../routing/header-mutation.ts';
import { redirectLocation } from '../routing/path-rewrite.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { ClusterMetrics } from '../cluster/cluster-metrics.ts';
import { grpcContentType, isGrpcContentType } from '../grpc/content-type.ts';
import { grpcWebStatsRules } from '../grpc/call-metrics.ts';
import { GrpcCall } from '../grpc/grpc-call.ts';
import { addGrpcReply, grpcReplyStatus } from '../grpc/local-reply.ts';
import { GrpcStatus } from '../grpc/status.ts';
import { parseGrpcTimeout } from '../grpc/timeout-header.ts';
import { type GrpcTimeoutRules, forwardedTimeout, streamLimitMs } from '../grpc/timeout-rules.ts';
import { ExchangeLimits, type LimitedExchange } from './exchange-limits.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { FilterPause } from './filter-pause.ts';
import type { FilteredExchange, HoldingFilter } from './http-filter.ts';
import { Admission } from './incoming-request.ts';
import type { CallCounting, HttpSettingsSlot, ProxyContext } from './http-settings.ts';
import { headChanges, noFields } from './header-changes.ts';
import { localResponse } from './local-response.ts';
import { type LocalReply, LocalReplies } from './response-flags.ts';

const noBytes = Buffer.alloc(0);
const overloaded = FieldList.of(
  new Field('x-envoy-overloaded', 'true'),
  new Field('content-type', 'text/plain'),
);

export abstract class DownstreamExchange
  extends ExchangeRecord
  implements LayeredExchange, LimitedExchange, FilteredExchange
{
  protected readonly context: ProxyContext;
  protected readonly limits: ExchangeLimits;
  protected active = false;
  protected requestEnded = false;
  protected responseStarted = false;
  /** The HTTP status of an answer of the proxy's own, whatever a gRPC client reads; 0 where there was none. */
  protected ownStatus = 0;
  /** What the request is to become (`websocket`, `connect`), where that was granted; empty for none. */
  protected upgrade = '';
  /** The most bytes of a body that the route takes; -1 for any number. */
  protected maxRequestBytes = -1;
  /** What the route, once there is one, changes in responses. */
  protected responseHeaders: readonly HeaderMutation[] | null = null;
  /** The request as a gRPC call; null where it is none. */
  protected call: GrpcCall | null = null;
  private ownCall: GrpcCall | null = null;
  /** It came as gRPC-Web. */
  protected isWebCall = false;
  /** The client reads a gRPC status where others read an HTTP status. */
  private readsGrpcStatus = false;
  /** The `BodyKind` of the request's body as a filter leaves it; -1 where none changes it. */
  protected changedBodyKind = -1;
  /** `grpc-timeout` in milliseconds, where the route looks at it; -1 for none. */
  protected deadlineMs = -1;
  /** How long the request may last, where the route has something to say about that; -1 for any time. */
  protected streamLimitMs = -1;
  /** The filter that wants the request to wait, and for how long; null where none does. */
  private holder: HoldingFilter | null = null;
  private holdMs = 0;
  /** Null before the first request that waited. */
  protected pause: FilterPause | null = null;
  private readonly slot: HttpSettingsSlot;
  protected startedAt = 0;
  private endedAfterMs = 0;
  /** When the bytes came that are being read, if they began with the response's head; -1 otherwise. */
  protected readAt = -1;

  constructor(context: ProxyContext, slot: HttpSettingsSlot) {
    super(slot.current);
    this.context = context;
    this.slot = slot;
    this.limits = new ExchangeLimits(context.timers, this);
  }

  /** For those who log: worked out when asked, since most requests are not logged. */
  get startTimeMs(): number {
    const { clock } = this.context;
    return Math.round(clock.now() - (clock.monotonic() - this.startedAt));
  }

  /** Of a request under way, until now. */
  get durationMs(): number {
    return this.active ? this.context.clock.monotonic() - this.startedAt : this.endedAfterMs;
  }

  /** What comes behind the head is no body, but the bytes of a tunnel once that is granted. */
  protected get isConnect(): boolean {
    return this.head!.method === 'CONNECT';
  }

  abstract onRequestHead(head: RequestHeadView): void;
  abstract onRequestBody(buffer: Buffer, start: number, end: number): void;
  abstract onRequestTrailers(fields: FieldList): void;
  abstract onRequestEnd(): void;
  abstract onResponseDrain(): void;
  abstract onResponseOverdue(): void;
  /** Gives up what the exchange has or awaits upstream. */
  protected abstract letUpstreamGo(): void;
  protected abstract countUpstream(): void;
  /** A reply of the proxy's own is about to be sent. */
  protected abstract onLocalResponse(): void;
  /** The request waits for a filter: what comes of it is kept. */
  protected abstract onHeldBack(): void;
  /** It has waited long enough. */
  protected abstract goOn(): void;
  /** Ends a tunnel, which ends the exchange. False where there is none. */
  protected abstract closeTunnel(): boolean;

  onClientGone(details: string): void {
    if (!this.active) return;
    this.responseFlags = 'DC';
    this.responseCodeDetails = details;
    this.letUpstreamGo();
    this.finish();
  }

  /** Serves the requests of this stream from here on. */
  attach(server: ServerStream): void {
    this.server = server;
  }

  /** Lets go of the last request. */
  detach(): void {
    this.head = null;
    this.resetRecord();
  }

  /** It will serve no request any more: a watch left armed would hold its memory for minutes. */
  close(): void {
    this.limits.close();
  }

  ownReplyFields(): FieldList {
    return FieldList.of(this.context.date.field(), this.slot.current.serverField);
  }

  onRejected({ status, flag, detail }: Rejection, response: OutgoingResponse, bodyBytes: number): void {
    const { metrics } = this.settings.server;
    if (this.active) this.letUpstreamGo();
    else this.begin(null);
    this.responseCode = status;
    this.responseFlags = flag;
    this.responseCodeDetails = detail;
    this.response.clear();
    this.response.added.copy(response.added);
    this.bytesSent = bodyBytes;
    if (detail === Rejections.headTimeout.detail) metrics.headerTimeouts.value++;
    if (detail === Rejections.requestTimeout.detail) metrics.requestTimeouts.value++;
    this.finish();
  }

  // LimitedExchange

  onIdleCheck(): void {
    if (!this.active) return;
    if (!this.limits.isIdle()) return;
    this.settings.server.metrics.streamIdleTimeouts.value++;
    this.letUpstreamGo();
    this.giveUp(this.server.isRequestComplete ? LocalReplies.idleTimeout : LocalReplies.idleRequest);
  }

  onRequestOverdue(): void {
    if (!this.active || this.requestEnded) return;
    this.settings.server.metrics.requestTimeouts.value++;
    this.letUpstreamGo();
    this.giveUp(LocalReplies.overallTimeout);
  }

  onTooLong(): void {
    if (!this.active) return;
    this.settings.server.metrics.maxStreamDurationsReached.value++;
    if (this.closeTunnel()) return;
    this.letUpstreamGo();
    this.giveUp(this.server.isRequestComplete ? LocalReplies.maxDuration : LocalReplies.maxDurationOfRequest);
  }

  protected begin(head: RequestHeadView | null): void {
    const settings = this.slot.current;
    this.settings = settings;
    this.head = head;
    this.active = true;
    this.startedAt = this.context.clock.monotonic();
    this.readAt = -1;
    this.resetRecord();
    this.isGrpc = head !== null && isGrpcContentType(head.joinedById(FieldId.contentType));
    this.call = this.isGrpc ? this.beginCall() : null;
    this.isWebCall = false;
    this.readsGrpcStatus = this.isGrpc;
    this.changedBodyKind = -1;
    this.deadlineMs = -1;
    this.requestEnded = false;
    this.responseStarted = false;
    this.ownStatus = 0;
    this.upgrade = '';
    this.maxRequestBytes = -1;
    this.responseHeaders = null;
    const { metrics, requestTimeoutMs } = settings.server;
    this.countRequest(head);
    metrics.requestsActive.value++;
    this.limits.watchIdle(settings.streamIdleTimeoutMs);
    if (requestTimeoutMs > 0 && !this.server.isRequestComplete) this.limits.limitRequest(requestTimeoutMs);
    if (settings.maxStreamDurationMs > 0) this.limits.limitDuration(settings.maxStreamDurationMs);
  }

  protected countRequest(head: RequestHeadView | null): void {
    const { metrics } = this.settings.server;
    metrics.requestsTotal.value++;
    if (head === null || head.protocol !== 'HTTP/2') metrics.http1RequestsTotal.value++;
    else metrics.http2RequestsTotal.value++;
  }

  /** From here on `request_timeout` doesn't matter any more, as in Envoy, nor can another answer be given. */
  protected beginResponse(): void {
    this.responseStarted = true;
    this.limits.endRequest();
  }

  /** Applies the listener's rules to the request; false where they answered it. */
  protected admit(head: RequestHeadView): boolean {
    switch (this.request.admit(head, this.connection, this.settings.request, this.context.requestIds)) {
      case Admission.badPath:
        this.settings.server.metrics.failedPathNormalizations.value++;
        this.refuse(LocalReplies.badPath);
        return false;
      case Admission.noHost:
        this.refuse(LocalReplies.missingHost);
        return false;
      case Admission.redirected:
        this.settings.server.metrics.redirectedPaths.value++;
        this.redirect(this.request.path);
        return false;
      case Admission.noPath:
        this.settings.server.metrics.nonRelativePaths.value++;
        this.reply(LocalReplies.noPath);
        return false;
      default:
        return true;
    }
  }

  /** Answers what is no valid request. */
  private refuse(reply: LocalReply): void {
    if (this.settings.server.endsConnectionOnError) this.server.endConnection();
    this.reply(reply);
  }

  /** Lets the filters look at the request; false where one of them answered it. */
  protected passesFilters(route: RouteMatch<unknown> | null, from = 0): boolean {
    const { filters } = this.settings;
    for (let i = from; i < filters.length; i++) {
      const reply = filters[i]!.onRequest(this.request, this.connection, route, this);
      if (reply === null && this.holder === null) continue;
      if (reply === null) {
        this.pauseFor(this.holder!, i);
        return false;
      }
      this.reply(reply);
      return false;
    }
    return true;
  }

  /** Waits, and goes on behind the filter at `index`. */
  private pauseFor(filter: HoldingFilter, index: number): void {
    this.holder = null;
    this.pause ??= new FilterPause(this.context, () => this.goOn());
    this.onHeldBack();
    this.pause.begin(filter, index, this.holdMs);
  }

  /** The filter that held the request back has had its time: false where it, or one behind it, answers or waits. */
  protected passesPause(route: RouteMatch<unknown> | null): boolean {
    const { filter, index } = this.pause!;
    const reply = filter!.onHeld(this.request, route);
    if (reply === null) return this.passesFilters(route, index + 1);
    this.reply(reply);
    return false;
  }

  // FilteredExchange

  hold(ms: number, filter: HoldingFilter): void {
    this.holdMs = ms;
    this.holder = filter;
  }

  get bufferLimitBytes(): number {
    return this.settings.bufferLimitBytes;
  }

  get isUpgrade(): boolean {
    return this.upgrade !== '';
  }

  translateCall(layer: StreamLayer, isWeb: boolean): void {
    this.isGrpc = true;
    this.isWebCall ||= isWeb;
    this.call ??= this.beginCall();
    this.changedBodyKind = layer.requestBodyKind(
      this.changedBodyKind < 0 ? this.head!.bodyKind : this.changedBodyKind,
    );
    layer.enter(this.server, this);
  }

  addLayer(layer: StreamLayer): void {
    layer.enter(this.server, this);
  }

  breakOff(reply: LocalReply, isUnsent: boolean): void {
    if (!this.active) return;
    this.letUpstreamGo();
    if (isUnsent) {
      this.responseStarted = false;
      this.bytesSent = 0;
    }
    this.giveUp(reply);
  }

  /** Answers as a route says that leads to no cluster. */
  protected answerFor({ directResponse, redirect }: RouteMatch<unknown>): void {
    this.settings.server.metrics.directResponses.value++;
    const { scheme, authority, path } = this.request;
    if (redirect === null) {
      const { status, body } = directResponse!;
      // As in Envoy, what such a status says that there is, or is elsewhere, is here.
      const isSomewhere = status === 201 || (status >= 300 && status < 400);
      const fields = isSomewhere ? here(`${scheme}://${authority}${path}`) : plainText;
      this.send(status, '-', 'direct_response', fields, body);
      return;
    }
    const location = redirectLocation(redirect, scheme, authority, path);
    this.send(redirect.status, '-', 'direct_response', locationField(location), noBytes);
  }

  /** As in Envoy, an upstream that was never asked is none. */
  protected refuseForOverflow(): void {
    this.upstreamHost = '';
    const { status, flag, details, body } = LocalReplies.overflow;
    this.send(status, flag, details, overloaded, Buffer.from(body));
  }

  /** The limits that the route has of its own. False: the request was refused for one. */
  protected applyLimits(head: RequestHeadView, route: RouteMatch<unknown>): boolean {
    if (route.idleTimeoutMs >= 0) this.limits.watchIdle(route.idleTimeoutMs);
    const { grpcTimeout, maxStreamDurationMs: durationMs } = route;
    if (grpcTimeout !== null) this.applyDeadline(head, grpcTimeout, durationMs);
    else if (durationMs >= 0) this.limits.limitDuration(durationMs);
    this.maxRequestBytes = route.maxRequestBytes;
    if (route.maxRequestBytes < 0 || head.contentLength <= route.maxRequestBytes) return true;
    this.refuseBody();
    return false;
  }

  private beginCall(): GrpcCall {
    this.ownCall ??= new GrpcCall();
    this.ownCall.begin();
    return this.ownCall;
  }

  /** Counts a gRPC call in the metrics of the cluster that it goes to. */
  protected countCall(call: GrpcCall, metrics: ClusterMetrics, counting: CallCounting): void {
    const { stats, traffic } = counting;
    const { path } = this.request;
    call.countIn(
      stats === null ? null : metrics.grpc.of(path, stats),
      this.isWebCall ? metrics.grpcWeb.of(path, grpcWebStatsRules) : null,
      traffic === null ? null : traffic.messagesOf(this),
    );
  }

  /** What the route makes of the deadline that the caller sends; `durationMs` is its own `max_stream_duration`. */
  private applyDeadline(head: RequestHeadView, rules: GrpcTimeoutRules, durationMs: number): void {
    this.deadlineMs = parseGrpcTimeout(head.joinedById(FieldId.grpcTimeout) ?? '');
    const ownLimitMs = durationMs >= 0 ? durationMs : this.settings.maxStreamDurationMs;
    this.streamLimitMs = streamLimitMs(rules, ownLimitMs, this.deadlineMs);
    // Of a deadline that has passed a moment is left, in which the answer is given.
    this.limits.limitDuration(this.streamLimitMs < 0 ? 0 : Math.max(this.streamLimitMs, 1));
  }

  /** Tells the upstream how long it has; `timeoutMs` is the response timeout in force. */
  protected passDeadlineOn(rules: GrpcTimeoutRules, timeoutMs: number): void {
    const told = forwardedTimeout(rules, this.isGrpc, this.deadlineMs, timeoutMs, this.streamLimitMs);
    if (told !== '') this.request.replaceBy(new Field('grpc-timeout', told));
  }

  protected refuseBody(): void {
    this.settings.server.metrics.requestsTooLarge.value++;
    this.letUpstreamGo();
    this.giveUp(LocalReplies.tooLarge);
  }

  /** Ends the exchange after its upstream was given up: with a reply where there is still room for one. */
  protected giveUp(reply: LocalReply): void {
    if (!this.responseStarted) {
      this.reply(reply);
      return;
    }
    this.responseFlags = reply.flag;
    this.responseCodeDetails = reply.details;
    this.settings.server.metrics.responsesReset.value++;
    this.finish();
    this.server.abort();
  }

  /** Answers the request itself, with the reason. */
  protected reply(reply: LocalReply): void {
    const { status, flag, details, body, grpcStatus = -1, fields } = reply;
    if (fields !== undefined) {
      this.sendAsIs(reply, fields);
      return;
    }
    this.send(status, flag, details, plainText, Buffer.from(body), grpcStatus);
  }

  /** Answers with a head that neither the route nor the listener changes. */
  private sendAsIs({ status, flag, details }: LocalReply, fields: FieldList): void {
    const { server, response } = this;
    this.responseFlags = flag;
    this.responseCodeDetails = details;
    this.responseStarted = true;
    this.ownStatus = status;
    if (this.upgrade !== '') server.endConnection();
    this.answer(status, 0, fields, null);
    response.bodyKind = BodyKind.none;
    server.sendHead(response);
    this.finish();
    server.endResponse();
  }

  /** Sends the client to the path that it should have asked for. */
  private redirect(path: string): void {
    const fields = locationField(path);
    this.send(307, '-', 'path_normalization_failed', fields, noBytes, GrpcStatus.internal);
  }

  /** Answers the request; `grpcStatus` is what a gRPC client gets, -1 for what stands for `status`. */
  protected send(
    status: number,
    flag: string,
    details: string,
    fields: FieldList,
    body: Buffer,
    grpcStatus = -1,
  ): void {
    this.responseFlags = flag;
    this.responseCodeDetails = details;
    this.responseStarted = true;
    this.ownStatus = status;
    const { server, response } = this;
    const { method } = this.head!;
    let mutations = this.responseHeaders;
    const rules = this.settings.localReplies;
    if (rules !== null) {
      const changed = this.changedReply(status, fields);
      mutations = null;
      body = rules.apply(this, changed, body, this.context.random);
      status = this.responseCode;
      fields = changed;
    }
    // Behind a CONNECT that is not granted nothing is a request.
    if (this.upgrade !== '' || method === 'CONNECT') server.endConnection();
    const isHead = method === 'HEAD';
    if (this.readsGrpcStatus) {
      // The end of a line that formats write is none of a field's.
      const words = rules === null ? body.toString() : body.toString().trimEnd();
      const reply = grpcReply(status, grpcStatus, fields, words, isHead);
      this.call!.onResponseHead(grpcReplyStatus, grpcContentType, reply.value('grpc-status'), true);
      this.answer(grpcReplyStatus, -1, reply, mutations);
      response.bodyKind = BodyKind.none;
      server.sendHead(response);
    } else {
      const isBodiless = status === 204 || status === 304;
      this.answer(status, isBodiless ? -1 : body.length, fields, mutations);
      const hasBody = body.length > 0 && !isHead && !isBodiless;
      if (!hasBody) response.bodyKind = BodyKind.none;
      server.sendHead(response);
      if (hasBody) {
        this.bytesSent = body.length;
        server.sendBody(body, 0, body.length);
      }
    }
    this.finish();
    server.endResponse();
  }

  /** The fields of an answer as the route changes them, where there is something to be done to it as a whole. */
  private changedReply(status: number, fields: FieldList): FieldList {
    const changed = new FieldList();
    changed.copy(fields);
    headChanges(noFields, null, this.responseHeaders, changed, this, 'response');
    // What the listener has the last word on.
    if (this.settings.setsServer === 'overwrite') changed.remove('server');
    this.response.clear();
    this.response.added.copy(changed);
    this.responseCode = status;
    return changed;
  }

  private answer(
    status: number,
    length: number,
    fields: FieldList,
    mutations: readonly HeaderMutation[] | null,
  ): void {
    const { response, settings, context } = this;
    localResponse(response, status, length, fields, mutations, settings, context, this);
    // Fields with formats are made before there is a status, as in Envoy.
    this.responseCode = status;
    this.onLocalResponse();
  }

  /** Counts and logs the exchange; nothing of it is touched afterwards. */
  protected finish(): void {
    this.active = false;
    const endedAt = this.readAt >= 0 ? this.readAt : this.context.clock.monotonic();
    this.endedAfterMs = endedAt - this.startedAt;
    this.limits.end();
    if (this.pause !== null) this.responseFlags = this.pause.end(this.responseFlags);
    const { settings } = this;
    const { metrics } = settings.server;
    if (this.head !== null && this.head.bodyKind === BodyKind.chunked)
      this.bytesReceived = this.server.bodyBytes;
    metrics.requestsActive.value--;
    metrics.requestTimeMs.observe(this.endedAfterMs);
    if (this.upgrade !== '') metrics.upgradesActive.value--;
    if (this.responseCode !== 0) metrics.countResponse(this.responseCode);
    if (!this.server.isRequestComplete || this.upgrade !== '' || this.responseFlags === 'DC') {
      metrics.requestsReset.value++;
      if (this.responseCode !== 0) metrics.responsesBeforeRequestEnd.value++;
    }
    if (this.call !== null) this.grpcStatus = this.call.status(this.responseCode);
    this.countUpstream();
    for (const observer of settings.observers) observer.onFinished(this);
  }
}

/** What an answer in words says of them. */
export const plainText: FieldList = FieldList.of(new Field('content-type', 'text/plain'));

/** What a gRPC client gets in place of an answer with `fields` and a body of `words`: its status, all of it in the head. */
function grpcReply(
  status: number,
  grpcStatus: number,
  fields: FieldList,
  words: string,
  isHead: boolean,
): FieldList {
  const reply = new FieldList();
  reply.copy(fields);
  reply.remove('content-type');
  addGrpcReply(reply, status, words, grpcStatus, isHead);
  return reply;
}

function here(url: string): FieldList {
  return FieldList.of(new Field('location', url), new Field('content-type', 'text/plain'));
}

export function locationField(location: string): FieldList {
  return FieldList.of(new Field('location', location));
}
