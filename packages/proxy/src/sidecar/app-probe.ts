import type { Clock, Timer } from '@heddle/base';
import type { Transport, TransportAddress } from '../transport/transport.ts';

const firstDelayMs = 20;
const longestDelayMs = 500;
const connectTimeoutMs = 1_000;

/** Waits until something accepts connections at an address: the application is up. */
export class AppProbe {
  private readonly transport: Transport;
  private readonly address: TransportAddress;
  private readonly clock: Clock;
  private timer: Timer | null = null;
  private delayMs = firstDelayMs;
  private isClosed = false;

  constructor(transport: Transport, address: TransportAddress, clock: Clock) {
    this.transport = transport;
    this.address = address;
    this.clock = clock;
  }

  /** Calls `onAccepting` once, as soon as a connection was accepted. */
  start(onAccepting: () => void): void {
    const connection = this.transport.connect(
      { address: this.address, security: null, timeoutMs: connectTimeoutMs },
      {
        onConnect: () => {
          connection.destroy();
          if (this.isClosed) return;
          this.close();
          onAccepting();
        },
        onData: () => undefined,
        onEnd: () => undefined,
        onDrain: () => undefined,
        onClose: () => {
          if (this.isClosed) return;
          this.timer = this.clock.setTimer(this.delayMs, () => this.start(onAccepting));
          this.delayMs = Math.min(this.delayMs * 1.5, longestDelayMs);
        },
      },
    );
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }
}
