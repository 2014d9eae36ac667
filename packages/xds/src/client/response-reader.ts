// Hands responses to the sink, resource by resource and in slices, so that a large one does not hold the thread.
import type { Clock, Timer } from '@heddle/base';
import { errorMessage } from '@heddle/base';
import type { DeltaDiscoveryResponse, Resource } from '../generated/envoy/service/discovery/v3/discovery.ts';
import { messageNameOf } from '../type-url.ts';
import type { ReceivedResource, ResourceSink } from './resource-sink.ts';
import type { Subscription } from './subscription.ts';

export interface ResponseReaderOptions {
  readonly clock: Clock;
  readonly sink: ResourceSink;
  readonly sliceMs: number;
  subscription(typeUrl: string): Subscription | undefined;
  /** A response has been handed over whole; with the reasons for what was refused, by name. */
  onRead(response: DeltaDiscoveryResponse, rejected: ReadonlyMap<string, string>): void;
}

/** A response on its way into the sink. */
interface Reading {
  readonly response: DeltaDiscoveryResponse;
  readonly rejected: Map<string, string>;
  readonly seen: Set<string>;
  next: number;
  /** The resource that the sink is taking in steps; null between two. */
  current: { readonly received: ReceivedResource; readonly steps: Iterator<unknown, string | null> } | null;
}

export class ResponseReader {
  private readonly options: ResponseReaderOptions;
  private readonly queue: Reading[] = [];
  private isReading = false;
  private timer: Timer | null = null;

  constructor(options: ResponseReaderOptions) {
    this.options = options;
  }

  /** Whether responses wait to be handed over. */
  get isBusy(): boolean {
    return this.queue.length > 0;
  }

  push(response: DeltaDiscoveryResponse): void {
    this.queue.push({ response, rejected: new Map(), seen: new Set(), next: 0, current: null });
    if (this.timer === null && !this.isReading) this.read();
  }

  /** Drops what has not been handed over: the server will send it again on the next stream. */
  clear(): void {
    this.timer?.cancel();
    this.timer = null;
    const current = this.queue[0];
    this.queue.length = 0;
    if (current !== undefined && current.next > 0) this.options.sink.commit(current.response.typeUrl);
  }

  private read(): void {
    const { clock, sliceMs } = this.options;
    const end = clock.monotonic() + sliceMs;
    this.isReading = true;
    for (;;) {
      const reading = this.queue[0];
      if (reading === undefined) break;
      if (!this.readUntil(reading, end)) {
        this.timer = clock.setTimer(0, () => {
          this.timer = null;
          this.read();
        });
        break;
      }
      // The sink may have closed the client, which empties the queue.
      if (this.queue[0] !== reading) break;
      this.queue.shift();
      this.options.onRead(reading.response, reading.rejected);
    }
    this.isReading = false;
  }

  /** True when the whole response has been handed over. */
  private readUntil(reading: Reading, end: number): boolean {
    const { response } = reading;
    const { clock, sink } = this.options;
    const subscription = this.options.subscription(response.typeUrl);
    if (subscription === undefined) {
      reading.rejected.set('', `${messageNameOf(response.typeUrl)} was not asked for.`);
      return true;
    }
    while (reading.next < response.resources.length) {
      if (reading.current === null) this.begin(reading, subscription, response.resources[reading.next]!);
      if (!this.takeSteps(reading, subscription, end)) return false;
      reading.next++;
      // The sink closed the client.
      if (this.queue[0] !== reading) return true;
      if (clock.monotonic() >= end && reading.next < response.resources.length) return false;
    }
    for (const name of response.removedResources) {
      if (!subscription.isInterestedIn(name)) continue;
      subscription.noteAnswered(name);
      subscription.resources.delete(name);
      sink.remove(response.typeUrl, name);
    }
    subscription.isAnswered = true;
    for (const [name, reason] of sink.commit(response.typeUrl) ?? []) {
      reading.rejected.set(name, reason);
      subscription.resources.delete(name);
    }
    return true;
  }

  private begin(reading: Reading, subscription: Subscription, resource: Resource): void {
    const { name, version } = resource;
    // Given up while it was on its way; or a heartbeat, which carries nothing.
    if (!subscription.isInterestedIn(name) || resource.resource === undefined) return;
    const { typeUrl } = reading.response;
    subscription.noteAnswered(name);
    if (reading.seen.has(name)) {
      reading.rejected.set(name, 'The response holds this name twice.');
      return;
    }
    reading.seen.add(name);
    if (resource.resource.typeUrl !== typeUrl) {
      reading.rejected.set(name, `It is a ${messageNameOf(resource.resource.typeUrl)}.`);
      return;
    }
    const received = { name, version, bytes: resource.resource.value };
    const { sink } = this.options;
    reading.current = {
      received,
      steps: sink.applySteps?.(typeUrl, received) ?? applyAtOnce(sink, typeUrl, received),
    };
  }

  /** False where the time is up before the sink has taken the whole resource. */
  private takeSteps(reading: Reading, subscription: Subscription, end: number): boolean {
    const { current } = reading;
    if (current === null) return true;
    const { received, steps } = current;
    let reason: string | null;
    try {
      let step = steps.next();
      while (step.done !== true) {
        if (this.options.clock.monotonic() >= end) return false;
        step = steps.next();
      }
      reason = step.value;
    } catch (error) {
      // One resource that breaks the compiler must not stop the others.
      reason = `Internal error: ${errorMessage(error)}`;
    }
    reading.current = null;
    if (reason !== null) reading.rejected.set(received.name, reason);
    else if (subscription.isInterestedIn(received.name)) subscription.resources.set(received.name, received);
    return true;
  }
}

/** All of it in one step. */
function applyAtOnce(
  sink: ResourceSink,
  typeUrl: string,
  resource: ReceivedResource,
): Iterator<unknown, string | null> {
  return { next: () => ({ done: true, value: sink.apply(typeUrl, resource) }) };
}
