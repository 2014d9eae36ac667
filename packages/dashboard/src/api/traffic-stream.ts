import type { TrafficEvent } from '../generated/api.ts';
import type { Clock, Wait } from '../platform/clock.ts';
import { backoffMs } from '../state/backoff.ts';

/** The part of `EventSource` that is used, so that tests can stand in. */
export interface EventStream {
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  close(): void;
}

/** The control plane sends an event each second; after this long without any the stream is dead, whatever TCP says. */
const SILENCE_MS = 5000;

/**
 * The control plane's stream of traffic, opened again by itself when it breaks. `EventSource` would do that too, but
 * at a fixed pace, and it gives up for good on some errors.
 */
export class TrafficStream {
  private readonly open: () => EventStream;
  private readonly onEvent: (event: TrafficEvent) => void;
  private readonly onLive: (isLive: boolean) => void;
  private readonly clock: Clock;
  private stream: EventStream | null = null;
  private wait: Wait | null = null;
  private attempt = 0;

  /** `onLive(true)` comes with the first event after a break, before `onEvent`; `onLive(false)` with the break. */
  constructor(
    open: () => EventStream,
    onEvent: (event: TrafficEvent) => void,
    onLive: (isLive: boolean) => void,
    clock: Clock,
  ) {
    this.open = open;
    this.onEvent = onEvent;
    this.onLive = onLive;
    this.clock = clock;
  }

  /** Opens the stream; does nothing when it is open. */
  start(): void {
    if (this.stream !== null) return;
    let isLive = false;
    const stream = this.open();
    this.stream = stream;
    stream.addEventListener('traffic', (message) => {
      if (this.stream !== stream || typeof message.data !== 'string') return;
      this.attempt = 0;
      this.watch();
      if (!isLive) {
        isLive = true;
        this.onLive(true);
      }
      this.onEvent(JSON.parse(message.data) as TrafficEvent);
    });
    stream.addEventListener('error', () => {
      if (this.stream === stream) this.reopenLater();
    });
    this.watch();
  }

  /** Closes the stream for good, or until `start`. */
  stop(): void {
    this.stream?.close();
    this.stream = null;
    this.wait?.cancel();
    this.attempt = 0;
  }

  private watch(): void {
    this.wait?.cancel();
    this.wait = this.clock.wait(SILENCE_MS, () => {
      this.reopenLater();
    });
  }

  private reopenLater(): void {
    this.stream?.close();
    this.stream = null;
    this.onLive(false);
    this.wait?.cancel();
    this.wait = this.clock.wait(backoffMs(this.attempt++, this.clock), () => {
      this.start();
    });
  }
}
