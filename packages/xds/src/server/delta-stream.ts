// One client's stream: reads its requests, keeps what it knows, and sends what it should know next.
import type { Clock, Timer } from '@heddle/base';
import { errorMessage } from '@heddle/base';
import type { DeltaDiscoveryRequest } from '../generated/envoy/service/discovery/v3/discovery.ts';
import { rejectionsOf } from '../nack-details.ts';
import { RpcCode } from '../rpc.ts';
import type { RpcPeer, RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { TypeUrl, collectionOf, resourceTypeUrls } from '../type-url.ts';
import { StreamAcknowledgements } from './acknowledgements.ts';
import type { AcknowledgementTarget, AcknowledgingStream, Requirement } from './acknowledgements.ts';
import type { DeltaServerHooks } from './delta-server.ts';
import type { FirstSyncSlots } from './first-sync-slots.ts';
import { dropUnchanged, isKnown, planResponse } from './plan-response.ts';
import type { ResponsePlan } from './plan-response.ts';
import type { NameStates, NameTable } from './name-table.ts';
import { KnownVersion } from './version-table.ts';
import type { ChangeLog } from './change-log.ts';
import type { ResourceSource, XdsClient } from './resource-source.ts';
import type { RequestReader } from './request-reader.ts';
import type { ResponseCache } from './response-cache.ts';
import type { RejectedResource, ResourceStatus, StreamStatus, Subscription } from './stream-status.ts';
import { TypeState } from './type-state.ts';

/** What all streams of a server share. */
export interface StreamContext {
  readonly source: ResourceSource;
  readonly clock: Clock;
  readonly responses: ResponseCache;
  readonly slots: FirstSyncSlots;
  readonly changes: ChangeLog;
  readonly requests: RequestReader;
  /** Numbers for the names of a type. */
  nameTable(typeUrl: string): NameTable;
  readonly hooks: DeltaServerHooks;
  /** How long one step of a change may wait for the one before it. */
  readonly holdTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxNamesPerType: number;
  /** Drops the names that no stream has anything to say of, where there may be many. */
  forgetNames(): void;
  /** Takes the stream off the server's list. */
  onClosed(stream: DeltaStream): void;
}

export interface StreamOptions {
  /** The type of a stream that has only one, which its requests need not name; null for an aggregated stream. */
  readonly implicitType?: string | null;
  /** Types of which a response must not be divided. */
  readonly wholeTypes?: ReadonlySet<string>;
}

/** There are six; clients may ask for some that are not served here. */
const maxTypes = 32;
const wildcard = '*';
/** What refers to clusters. */
const dependentTypes: readonly string[] = [TypeUrl.listener, TypeUrl.routeConfiguration, TypeUrl.virtualHost];
const none: ReadonlySet<string> = new Set();

/** Whether an empty first subscription means everything, as it did before `*` existed. */
function hasLegacyWildcard(typeUrl: string): boolean {
  return typeUrl === TypeUrl.listener || typeUrl === TypeUrl.cluster;
}

export class DeltaStream implements RpcStreamHandler, AcknowledgingStream {
  readonly acknowledgements = new StreamAcknowledgements();
  /** Null until the first request has said who is there. */
  client: XdsClient | null = null;
  private readonly context: StreamContext;
  private readonly stream: RpcStream;
  private readonly peer: RpcPeer;
  private readonly connectedAt: number;
  private readonly types = new Map<string, TypeState>();
  /** Clusters that were sent and whose endpoints the client must have before routes may use them, with the time that ends. */
  private readonly awaitedEndpoints = new Map<string, number>();
  private readonly implicitType: string | null;
  private readonly wholeTypes: ReadonlySet<string>;
  private isBlocked = false;
  private isOver = false;
  private isFlushScheduled = false;
  private hasChanges = false;
  /** How much of the log of changes has been noted. */
  private noted = 0;
  private firstSync: 'none' | 'waiting' | 'running' | 'done' = 'none';
  private timer: Timer | null = null;
  private slotTimer: Timer | null = null;

  constructor(
    context: StreamContext,
    stream: RpcStream,
    peer: RpcPeer,
    { implicitType = null, wholeTypes = none }: StreamOptions = {},
  ) {
    this.context = context;
    this.implicitType = implicitType;
    this.wholeTypes = wholeTypes;
    this.stream = stream;
    this.peer = peer;
    this.connectedAt = context.clock.now();
  }

  onMessage(message: Uint8Array): void {
    if (this.isOver) return;
    let request: DeltaDiscoveryRequest;
    try {
      request = this.context.requests.decode(message);
    } catch (error) {
      this.refuse(RpcCode.invalidArgument, `Not a DeltaDiscoveryRequest: ${errorMessage(error)}`);
      return;
    }
    if (this.client === null && !this.identify(request)) return;
    const typeUrl = request.typeUrl === '' ? (this.implicitType ?? '') : request.typeUrl;
    if (this.implicitType !== null && typeUrl !== this.implicitType) {
      this.refuse(
        RpcCode.invalidArgument,
        `This stream is of ${this.implicitType}, and the request of ${typeUrl}.`,
      );
      return;
    }
    if (typeUrl === '') {
      this.refuse(
        RpcCode.invalidArgument,
        'type_url is missing; an aggregated stream needs it in every request.',
      );
      return;
    }
    let state = this.types.get(typeUrl);
    const isFirst = state === undefined;
    if (state === undefined) {
      if (this.types.size >= maxTypes) {
        this.refuse(RpcCode.resourceExhausted, `More than ${maxTypes} types on one stream.`);
        return;
      }
      state = new TypeState(typeUrl, this.context.nameTable(typeUrl));
      this.types.set(typeUrl, state);
    }
    // An unknown nonce belongs to a response that nobody waits for; what else the request says counts all the same.
    if (request.responseNonce !== '') this.answered(state, request);
    if (isFirst) this.begin(state, request);
    else this.subscribe(state, request.resourceNamesSubscribe);
    this.unsubscribe(state, request.resourceNamesUnsubscribe);
    // Names that come and go leave their numbers behind.
    if (this.context.nameTable(typeUrl).isWorthCompacting) this.context.forgetNames();
    if (state.names.namedCount > this.context.maxNamesPerType) {
      this.refuse(RpcCode.resourceExhausted, `More than ${this.context.maxNamesPerType} names of one type.`);
      return;
    }
    this.scheduleFlush();
  }

  onHalfClose(): void {
    this.close({ code: RpcCode.ok, message: '' });
  }

  onWritable(): void {
    this.isBlocked = false;
    this.scheduleFlush();
  }

  onEnd(): void {
    this.dispose();
  }

  /** Ends the stream with a status. */
  close(status: RpcStatus): void {
    if (this.isOver) return;
    this.stream.end(status);
    this.dispose();
  }

  /** Notes what changed since the last push, and sends what follows from it. The log is cleared afterwards. */
  pushChanges(): void {
    this.noteChanges();
    this.noted = 0;
    if (!this.hasChanges) return;
    this.hasChanges = false;
    this.scheduleFlush();
  }

  /** Notes what changed since the last push; it is sent by `pushChanges`, or with what is sent before that. */
  noteChanges(): void {
    if (this.client === null || this.isOver) return;
    const { changes, endpoints } = this.context.changes;
    for (; this.noted < changes.length; this.noted++) {
      const { typeUrl, names, concerns } = changes[this.noted]!;
      const state = this.types.get(typeUrl);
      if (state === undefined) continue;
      if (concerns?.(this.client) === false) continue;
      if (names === undefined) {
        this.hasChanges = true;
        this.markAll(state);
      } else this.mark(state, names);
    }
    const state = this.types.get(TypeUrl.clusterLoadAssignment);
    if (state !== undefined) this.mark(state, endpoints);
  }

  private mark(state: TypeState, names: ReadonlySet<string>): void {
    for (const name of names) {
      if (!state.isInterestedIn(name)) continue;
      state.pending.add(name);
      this.hasChanges = true;
    }
  }

  requirementFor({ typeUrl, name }: AcknowledgementTarget): Requirement | null {
    const state = this.types.get(typeUrl);
    if (state === undefined || this.client === null) return null;
    const known = state.names.version(name);
    const inFlight = state.inFlightSequenceOf(name);
    if (known === KnownVersion.none && inFlight === 0) return null;
    const present = this.context.source.get(this.client, typeUrl, name);
    // What a client refused it does not use: it confirms with the next response that has the name.
    if (!isKnown(known, present) || state.rejected.has(name))
      return { typeUrl, name, sequence: state.nextSequence };
    return inFlight > 0 ? { typeUrl, name, sequence: inFlight } : null;
  }

  /** What the stream keeps of a type; undefined where the client has not asked for any. */
  namesOf(typeUrl: string): NameStates | undefined {
    return this.types.get(typeUrl)?.names;
  }

  subscription(): Subscription | null {
    if (this.client === null) return null;
    return {
      client: this.client,
      wants: (typeUrl, name) => this.types.get(typeUrl)?.isInterestedIn(name) === true,
      names: (typeUrl) => this.namesOf(typeUrl)?.names() ?? [],
    };
  }

  status(): StreamStatus | null {
    if (this.client === null) return null;
    this.noteChanges();
    const rejected: RejectedResource[] = [];
    for (const [typeUrl, state] of this.types) {
      for (const [name, { reason, at }] of state.rejected) rejected.push({ typeUrl, name, reason, at });
    }
    return {
      ...this.client,
      connectedAt: this.connectedAt,
      types: new Map([...this.types].map(([typeUrl, state]) => [typeUrl, state.status()])),
      rejected,
    };
  }

  /** Each resource that the client has asked for or was told of, type by type. */
  *resources(): Generator<ResourceStatus> {
    for (const state of this.types.values()) yield* state.resources();
  }

  private identify(request: DeltaDiscoveryRequest): boolean {
    if (request.node === undefined) {
      this.refuse(
        RpcCode.invalidArgument,
        'The first request of a stream must say which node it comes from.',
      );
      return false;
    }
    const client = { node: request.node, peer: this.peer };
    const refusal = this.context.hooks.onConnect?.(client) ?? null;
    if (refusal !== null) {
      this.close(refusal);
      return false;
    }
    this.client = client;
    return true;
  }

  private refuse(code: number, message: string): void {
    this.close({ code, message });
  }

  private begin(state: TypeState, request: DeltaDiscoveryRequest): void {
    const subscribed = request.resourceNamesSubscribe;
    const isLegacy =
      subscribed.length === 0 &&
      request.resourceNamesUnsubscribe.length === 0 &&
      hasLegacyWildcard(state.typeUrl);
    for (const [name, version] of Object.entries(request.initialResourceVersions)) {
      state.names.setVersion(name, this.numberOf(state.typeUrl, name, version));
      state.pending.add(name);
    }
    this.subscribe(state, isLegacy ? [wildcard] : subscribed);
    for (const name of Object.keys(request.initialResourceVersions)) {
      // What the client has already in this version need not be sent again, although it subscribes anew.
      if (state.isInterestedIn(name)) state.forced.delete(name);
      else state.forget(name);
    }
  }

  /** The number of a version that the client has from an earlier stream, perhaps from another control plane. */
  private numberOf(typeUrl: string, name: string, version: string): number {
    if (this.client === null) return KnownVersion.foreign;
    const present = this.context.source.get(this.client, typeUrl, name);
    return present?.version === version ? present.versionNumber : KnownVersion.foreign;
  }

  private subscribe(state: TypeState, names: readonly string[]): void {
    for (const name of names) {
      if (name === wildcard) {
        state.isWildcard = true;
        state.isAnswerDue = true;
        this.markAll(state);
        continue;
      }
      state.names.addName(name);
      const members = [...this.membersOf(state, name)];
      // Of an empty collection the client is told that there is none.
      for (const member of members.length === 0 ? [name] : members) {
        state.pending.add(member);
        state.forced.add(member);
      }
    }
  }

  private membersOf({ typeUrl }: TypeState, name: string): Iterable<string> {
    if (typeUrl !== TypeUrl.virtualHost || this.client === null) return [];
    return this.context.source.listCollection?.(this.client, typeUrl, name) ?? [];
  }

  private unsubscribe(state: TypeState, names: readonly string[]): void {
    for (const name of names) {
      if (name === wildcard) {
        state.isWildcard = false;
        for (const known of [...state.names.names(), ...state.pending]) {
          if (!state.names.isNamed(known)) this.forget(state, known);
        }
        continue;
      }
      if (!state.names.deleteName(name)) continue;
      for (const known of state.typeUrl === TypeUrl.virtualHost
        ? [...state.names.names(), ...state.pending]
        : [])
        if (collectionOf(state.typeUrl, known) === name && !state.isInterestedIn(known))
          this.forget(state, known);
      if (state.isWildcard) {
        // The client drops it now, although the wildcard may still cover it: say which of the two holds.
        state.pending.add(name);
        state.forced.add(name);
      } else {
        this.forget(state, name);
      }
    }
  }

  private forget(state: TypeState, name: string): void {
    state.forget(name);
    if (state.typeUrl === TypeUrl.clusterLoadAssignment) this.awaitedEndpoints.delete(name);
    this.acknowledgements.release(state.typeUrl, name);
  }

  private markAll(state: TypeState): void {
    for (const name of [...state.names.names()]) {
      state.pending.add(name);
      if (!state.names.isNamed(name)) continue;
      for (const member of this.membersOf(state, name)) state.pending.add(member);
    }
    if (!state.isWildcard || this.client === null) return;
    for (const name of this.context.source.list(this.client, state.typeUrl)) state.pending.add(name);
  }

  private answered(state: TypeState, request: DeltaDiscoveryRequest): void {
    const response = state.inFlight.get(request.responseNonce);
    if (response === undefined || this.client === null) return;
    state.inFlight.delete(request.responseNonce);
    const { hooks, clock } = this.context;
    let accepted = response.names;
    if (request.errorDetail === undefined) {
      state.noteAcknowledged(response);
      state.rejected.delete('');
      hooks.onAck?.(this.client, state.typeUrl, accepted);
    } else {
      // That something is gone cannot be refused.
      const refusable = response.names.filter((name) => state.names.version(name) >= KnownVersion.foreign);
      const reasons = rejectionsOf(request.errorDetail, refusable);
      accepted = response.names.filter((name) => !reasons.has(name));
      const at = clock.now();
      const rejected: RejectedResource[] = [];
      for (const [name, reason] of reasons) {
        if (state.isCurrent(name, response)) state.rejected.set(name, { reason, at });
        rejected.push({ typeUrl: state.typeUrl, name, reason, at });
      }
      hooks.onNack?.(this.client, rejected);
    }
    this.acknowledgements.acknowledge(state.typeUrl, response.sequence, accepted);
    this.endpointsAnswered(state.typeUrl, response.names, accepted);
  }

  /** Routes need not wait for the endpoints of a cluster that was refused, or whose endpoints are there. */
  private endpointsAnswered(typeUrl: string, names: readonly string[], accepted: readonly string[]): void {
    if (this.awaitedEndpoints.size === 0) return;
    if (typeUrl === TypeUrl.clusterLoadAssignment) {
      for (const name of names) this.awaitedEndpoints.delete(name);
    } else if (typeUrl === TypeUrl.cluster && accepted.length < names.length) {
      const taken = new Set(accepted);
      for (const name of names) if (!taken.has(name)) this.awaitedEndpoints.delete(name);
    }
  }

  private scheduleFlush(): void {
    if (this.isFlushScheduled || this.isOver) return;
    this.isFlushScheduled = true;
    // Requests that arrive together, and changes told one after the other, are answered together.
    queueMicrotask(() => {
      this.isFlushScheduled = false;
      try {
        this.flush();
      } catch (error) {
        this.context.hooks.onError?.(this.client, error);
        this.refuse(RpcCode.internal, 'The control plane could not put a response together.');
      }
    });
  }

  private readonly onSlotFree = (): void => {
    this.beginFirstSync();
    this.scheduleFlush();
  };

  private flush(): void {
    if (this.isOver || this.isBlocked || this.client === null || !this.mayBegin()) return;
    if (this.noted < this.context.changes.changes.length) this.noteChanges();
    const now = this.context.clock.monotonic();
    for (const typeUrl of dependentTypes) {
      const state = this.types.get(typeUrl);
      if (state !== undefined && state.pending.size > 0)
        dropUnchanged(this.client, state, this.context.source);
    }
    for (const typeUrl of resourceTypeUrls) {
      if (!this.flushType(this.client, typeUrl, now)) return;
    }
    for (const typeUrl of this.types.keys()) {
      if (
        !(resourceTypeUrls as readonly string[]).includes(typeUrl) &&
        !this.flushType(this.client, typeUrl, now)
      )
        return;
    }
    if (this.firstSync === 'running' && this.isInSync()) this.endFirstSync();
    this.setTimer(now);
  }

  private mayBegin(): boolean {
    if (this.firstSync === 'none') {
      if (this.context.slots.acquire(this.onSlotFree)) this.beginFirstSync();
      else this.firstSync = 'waiting';
    }
    return this.firstSync !== 'waiting';
  }

  private beginFirstSync(): void {
    this.firstSync = 'running';
    // A client that never answers must not keep its place.
    this.slotTimer = this.context.clock.setTimer(2 * this.context.holdTimeoutMs, () => this.endFirstSync());
  }

  private endFirstSync(): void {
    if (this.firstSync !== 'running') return;
    this.firstSync = 'done';
    this.slotTimer?.cancel();
    this.context.slots.release();
  }

  private isInSync(): boolean {
    if (this.awaitedEndpoints.size > 0) return false;
    for (const state of this.types.values()) {
      if (!state.isIdle) return false;
    }
    return true;
  }

  /** Sends what may be sent of one type; false when the transport wants a pause. */
  private flushType(client: XdsClient, typeUrl: string, now: number): boolean {
    const state = this.types.get(typeUrl);
    if (state === undefined || state.isQuiet) return true;
    const { source, responses, holdTimeoutMs, maxResponseBytes } = this.context;
    for (;;) {
      const plan = planResponse(client, state, source, {
        now,
        holdTimeoutMs,
        maxResponseBytes:
          this.wholeTypes.has(typeUrl) || typeUrl === TypeUrl.virtualHost ? Infinity : maxResponseBytes,
        mayUpdate: this.mayUpdate(client, typeUrl, now),
        // One unanswered response at a time: what changes meanwhile is merged, and only its latest state is sent.
        onlyForced: state.isWaitingForAnswer(now - holdTimeoutMs),
        mayRemove: this.mayRemove(client, typeUrl, now),
      });
      if (plan === null) return true;
      const response = responses.prepare(typeUrl, plan.resources, plan.removed, (nonce) =>
        state.inFlight.has(nonce),
      );
      state.noteSent(response.nonce, response.names, now);
      this.noteSent(client, state, plan, now);
      this.context.hooks.onSend?.(client, typeUrl, response.names);
      if (!this.stream.send(response.bytes)) {
        this.isBlocked = true;
        return false;
      }
    }
  }

  private noteSent(client: XdsClient, state: TypeState, plan: ResponsePlan, now: number): void {
    if (state.typeUrl !== TypeUrl.cluster) return;
    const endpoints = this.types.get(TypeUrl.clusterLoadAssignment);
    for (const { name } of plan.resources) {
      if (this.context.source.get(client, TypeUrl.clusterLoadAssignment, name) === undefined) continue;
      // In the order of their ends: the timer looks at the first only.
      this.awaitedEndpoints.delete(name);
      this.awaitedEndpoints.set(name, now + this.context.holdTimeoutMs);
      // A changed cluster stays warming until its endpoints arrive anew, even if they are the same.
      if (endpoints?.names.isNamed(name) === true) {
        endpoints.pending.add(name);
        endpoints.forced.add(name);
      }
    }
    for (const name of plan.removed) this.awaitedEndpoints.delete(name);
  }

  /** Listeners and routes wait until the clusters they may refer to are there, with their endpoints. */
  private mayUpdate(client: XdsClient, typeUrl: string, now: number): boolean {
    if (!dependentTypes.includes(typeUrl)) return true;
    const clusters = this.types.get(TypeUrl.cluster);
    if (clusters === undefined) return true;
    if (clusters.isWaitingForAnswer(now - this.context.holdTimeoutMs)) return false;
    for (const [name, deadline] of this.awaitedEndpoints) {
      // A cluster that is gone again is in no route that would be sent now.
      if (deadline > now && this.context.source.get(client, TypeUrl.cluster, name) !== undefined)
        return false;
    }
    return true;
  }

  /** What others may refer to goes only after they have confirmed that they don't. */
  private mayRemove(client: XdsClient, typeUrl: string, now: number): boolean {
    if (typeUrl === TypeUrl.listener || typeUrl === TypeUrl.virtualHost)
      return this.mayUpdate(client, typeUrl, now);
    const listeners = this.types.get(TypeUrl.listener);
    // A client that reconnects asks for its clusters first: its routes have not been looked at yet.
    if (listeners === undefined || !listeners.isSettled) return false;
    // Only listeners refer to routes.
    if (typeUrl === TypeUrl.routeConfiguration) return true;
    return [TypeUrl.routeConfiguration, TypeUrl.virtualHost].every(
      (user) => this.types.get(user)?.isSettled ?? true,
    );
  }

  /** Looks again when the first wait is up. */
  private setTimer(now: number): void {
    this.timer?.cancel();
    this.timer = null;
    let next = Infinity;
    const consider = (deadline: number): void => {
      if (deadline > now && deadline < next) next = deadline;
    };
    for (const state of this.types.values()) {
      for (const deadline of state.heldRemovals.values()) consider(deadline);
      for (const { sentAt } of state.inFlight.values()) consider(sentAt + this.context.holdTimeoutMs);
    }
    for (const deadline of this.awaitedEndpoints.values()) {
      consider(deadline);
      if (deadline > now) break;
    }
    if (next === Infinity) return;
    this.timer = this.context.clock.setTimer(next - now, () => {
      this.timer = null;
      this.scheduleFlush();
    });
  }

  private dispose(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timer?.cancel();
    if (this.firstSync === 'waiting') this.context.slots.abandon(this.onSlotFree);
    this.endFirstSync();
    this.acknowledgements.release();
    this.context.onClosed(this);
    if (this.client !== null) this.context.hooks.onDisconnect?.(this.client);
  }
}
