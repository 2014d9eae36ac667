// The client's side of incremental xDS: pure protocol over `RpcClient`. What it receives goes to a `ResourceSink`.
import type { Clock, Logger, Random, Timer } from '@heddle/base';
import { errorMessage, silentLogger } from '@heddle/base';
import { Node } from '../generated/envoy/config/core/v3/base.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../generated/envoy/service/discovery/v3/discovery.ts';
import type { DeepPartial } from '../message-types.ts';
import { rejectionStatus } from '../nack-details.ts';
import type { RpcClient, RpcStatus, RpcStream, RpcStreamHandler } from '../rpc.ts';
import { TypeUrl, messageNameOf, resourceTypeUrls } from '../type-url.ts';
import { Backoff } from './backoff.ts';
import { ResponseReader } from './response-reader.ts';
import type { ReceivedResource, ResourceSink } from './resource-sink.ts';
import type { ConfigurationSnapshot } from './snapshot.ts';
import { Subscription } from './subscription.ts';

const method = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

export interface DeltaClientOptions {
  readonly rpc: RpcClient;
  readonly node: DeepPartial<Node>;
  readonly sink: ResourceSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** Types of which everything is wanted; the default is clusters and listeners. */
  readonly wildcards?: readonly string[];
  /** The first delay before a new attempt; the default is 200. */
  readonly backoffBaseMs?: number;
  /** The longest delay; the default is 10,000. */
  readonly backoffMaxMs?: number;
  /** How long resources are handed over before others get the thread; the default is 1. */
  readonly sliceMs?: number;
  /** After what time without a word a name counts as non-existent; the default is 15,000, as in Envoy and gRPC. */
  readonly answerTimeoutMs?: number;
  readonly hooks?: DeltaClientHooks;
}

/** What the client's owner is told, synchronously. */
export interface DeltaClientHooks {
  /** The server answered for the first time on a stream. */
  onConnected?(): void;
  /** A stream ended, or could not be opened; the next attempt comes by itself. */
  onDisconnected?(status: RpcStatus): void;
  /** All that was asked for has been received and handed over; once per stream. */
  onSynced?(): void;
  /** A resource was refused by the sink. */
  onRejected?(typeUrl: string, name: string, reason: string): void;
}

/**
 * Subscribes to all clusters and listeners of its node and to what the sink asks for by name, hands every resource to the
 * sink, and answers for it. What was accepted stays in use when the server is gone.
 */
export class DeltaClient {
  private readonly options: DeltaClientOptions;
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly node: Node;
  private readonly answerTimeoutMs: number;
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly reader: ResponseReader;
  private stream: RpcStream | null = null;
  /** Tells a stream's late calls from those of the one that came after it. */
  private generation = 0;
  private outbox: Uint8Array[] = [];
  private isBlocked = false;
  private isNodeSent = false;
  private hasAnswer = false;
  private wasSynced = false;
  private isClosed = false;
  private isSendScheduled = false;
  private retryTimer: Timer | null = null;
  private answerTimer: Timer | null = null;

  constructor(options: DeltaClientOptions) {
    this.options = options;
    this.clock = options.clock;
    this.logger = options.logger ?? silentLogger;
    this.backoff = new Backoff(options.backoffBaseMs ?? 200, options.backoffMaxMs ?? 10_000, options.random);
    this.node = Node.fromPartial(options.node);
    this.answerTimeoutMs = options.answerTimeoutMs ?? 15_000;
    const wildcards = options.wildcards ?? [TypeUrl.cluster, TypeUrl.listener];
    for (const typeUrl of new Set([...resourceTypeUrls, ...wildcards])) {
      this.subscriptions.set(typeUrl, new Subscription(typeUrl, wildcards.includes(typeUrl)));
    }
    this.reader = new ResponseReader({
      clock: options.clock,
      sink: options.sink,
      sliceMs: options.sliceMs ?? 1,
      subscription: (typeUrl) => this.subscriptions.get(typeUrl),
      onRead: (response, rejected) => this.answer(response, rejected),
    });
  }

  /** Connects, and keeps connecting until `close`. */
  start(): void {
    if (this.stream === null && this.retryTimer === null && !this.isClosed) this.connect();
  }

  /** Ends the stream; nothing is handed over any more. The `RpcClient` is the owner's to close. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.generation++;
    this.retryTimer?.cancel();
    this.answerTimer?.cancel();
    this.reader.clear();
    this.stream?.cancel();
    this.stream = null;
  }

  /** Asks for resources by name. The sink is told each of them, or that it does not exist. */
  subscribe(typeUrl: string, names: Iterable<string>): void {
    const subscription = this.subscriptionOf(typeUrl);
    const answerBy = this.clock.monotonic() + this.answerTimeoutMs;
    for (const name of names) subscription.add(name, answerBy);
    this.scheduleSend();
  }

  /** Gives names up; the sink hears no more of them. */
  unsubscribe(typeUrl: string, names: Iterable<string>): void {
    const subscription = this.subscriptionOf(typeUrl);
    for (const name of names) subscription.drop(name);
    this.scheduleSend();
  }

  /** Whether the server has answered on the present stream. */
  get isConnected(): boolean {
    return this.stream !== null && this.hasAnswer;
  }

  /** Whether everything that was asked for has been received on the present stream. */
  get isSynced(): boolean {
    if (!this.isConnected || this.reader.isBusy) return false;
    for (const subscription of this.subscriptions.values()) {
      if (!subscription.isComplete) return false;
    }
    return true;
  }

  /** What is in use now, to be kept on disk. */
  snapshot(): ConfigurationSnapshot {
    const types = new Map<string, readonly ReceivedResource[]>();
    for (const [typeUrl, { resources }] of this.subscriptions) {
      if (resources.size > 0) types.set(typeUrl, [...resources.values()]);
    }
    return types;
  }

  /**
   * Hands a kept state to the sink, before `start`; returns how many resources it took. What the sink refuses, and what it
   * does not ask for, is dropped.
   */
  restore(snapshot: ConfigurationSnapshot): number {
    let taken = 0;
    for (const [typeUrl, subscription] of this.subscriptions) {
      for (const resource of snapshot.get(typeUrl) ?? []) {
        if (!subscription.isInterestedIn(resource.name)) continue;
        const reason = this.options.sink.apply(typeUrl, resource);
        if (reason !== null) {
          this.logger.warn('A kept resource was refused', {
            type: messageNameOf(typeUrl),
            name: resource.name,
            reason,
          });
          continue;
        }
        subscription.resources.set(resource.name, resource);
        taken++;
      }
      this.options.sink.commit(typeUrl);
    }
    return taken;
  }

  private subscriptionOf(typeUrl: string): Subscription {
    const known = this.subscriptions.get(typeUrl);
    if (known !== undefined) return known;
    const subscription = new Subscription(typeUrl, false);
    this.subscriptions.set(typeUrl, subscription);
    return subscription;
  }

  private connect(): void {
    this.retryTimer = null;
    this.generation++;
    const { generation } = this;
    this.outbox = [];
    this.isBlocked = false;
    this.isNodeSent = false;
    this.hasAnswer = false;
    this.wasSynced = false;
    const answerBy = this.clock.monotonic() + this.answerTimeoutMs;
    for (const subscription of this.subscriptions.values()) subscription.reset(answerBy);
    const isPresent = (): boolean => this.generation === generation;
    const handler: RpcStreamHandler = {
      onMessage: (message) => {
        if (isPresent()) this.onMessage(message);
      },
      onHalfClose: () => undefined,
      onWritable: () => {
        if (!isPresent()) return;
        this.isBlocked = false;
        this.drain();
      },
      onEnd: (status) => {
        if (isPresent()) this.onEnd(status);
      },
    };
    this.stream = this.options.rpc.openStream(method, handler);
    this.scheduleSend();
  }

  private onMessage(message: Uint8Array): void {
    let response: DeltaDiscoveryResponse;
    try {
      response = DeltaDiscoveryResponse.decode(message);
    } catch (error) {
      this.logger.error('The control plane sent something that is no DeltaDiscoveryResponse', {
        reason: errorMessage(error),
      });
      this.stream?.cancel();
      return;
    }
    this.backoff.reset();
    if (!this.hasAnswer) {
      this.hasAnswer = true;
      this.options.hooks?.onConnected?.();
    }
    this.reader.push(response);
  }

  private onEnd(status: RpcStatus): void {
    this.generation++;
    this.stream = null;
    this.hasAnswer = false;
    this.answerTimer?.cancel();
    this.answerTimer = null;
    this.reader.clear();
    this.options.hooks?.onDisconnected?.(status);
    if (this.isClosed) return;
    const delayMs = this.backoff.nextMs();
    this.logger.debug('The stream to the control plane ended', { ...status, retryMs: Math.round(delayMs) });
    this.retryTimer = this.clock.setTimer(delayMs, () => this.connect());
  }

  /** A response has been handed over: says so to the server, with what was refused. */
  private answer(response: DeltaDiscoveryResponse, rejected: ReadonlyMap<string, string>): void {
    for (const [name, reason] of rejected) {
      this.logger.warn('A resource was refused', { type: messageNameOf(response.typeUrl), name, reason });
      this.options.hooks?.onRejected?.(response.typeUrl, name, reason);
    }
    this.send(
      DeltaDiscoveryRequest.create({
        typeUrl: response.typeUrl,
        responseNonce: response.nonce,
        ...(rejected.size === 0 ? {} : { errorDetail: rejectionStatus(rejected) }),
      }),
    );
    this.sendSubscriptions();
    this.noteProgress();
  }

  private noteProgress(): void {
    if (this.wasSynced || !this.isSynced) return;
    this.wasSynced = true;
    this.options.hooks?.onSynced?.();
  }

  private scheduleSend(): void {
    if (this.isSendScheduled || this.stream === null) return;
    this.isSendScheduled = true;
    // Names asked for one after the other go into one request.
    queueMicrotask(() => {
      this.isSendScheduled = false;
      this.sendSubscriptions();
    });
  }

  private sendSubscriptions(): void {
    if (this.stream === null) return;
    for (const subscription of this.subscriptions.values()) {
      const request = subscription.takeRequest();
      if (request !== null) this.send(request);
    }
    this.setAnswerTimer();
  }

  private send(request: DeltaDiscoveryRequest): void {
    if (this.stream === null) return;
    if (!this.isNodeSent) {
      request.node = this.node;
      this.isNodeSent = true;
    }
    this.outbox.push(DeltaDiscoveryRequest.encode(request).finish());
    this.drain();
  }

  private drain(): void {
    let sent = 0;
    while (this.stream !== null && !this.isBlocked && sent < this.outbox.length) {
      if (!this.stream.send(this.outbox[sent++]!)) this.isBlocked = true;
    }
    this.outbox.splice(0, sent);
  }

  /** A server that says nothing about a name has none: nobody waits for it for ever. */
  private setAnswerTimer(): void {
    if (this.answerTimer !== null) return;
    let next = Infinity;
    for (const { awaited } of this.subscriptions.values()) {
      for (const deadline of awaited.values()) next = Math.min(next, deadline);
    }
    if (next === Infinity) return;
    this.answerTimer = this.clock.setTimer(Math.max(0, next - this.clock.monotonic()), () => {
      this.answerTimer = null;
      this.giveUpWaiting();
      this.setAnswerTimer();
    });
  }

  private giveUpWaiting(): void {
    const now = this.clock.monotonic();
    for (const [typeUrl, subscription] of this.subscriptions) {
      let isChanged = false;
      for (const [name, deadline] of subscription.awaited) {
        if (deadline > now) continue;
        subscription.awaited.delete(name);
        isChanged = true;
        this.options.sink.remove(typeUrl, name);
      }
      if (isChanged) this.options.sink.commit(typeUrl);
    }
    this.noteProgress();
  }
}
