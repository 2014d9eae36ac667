// A listening socket of the engine.
import type { Clock, Logger, Timer } from '@heddle/base';
import type { AcceptHandler, TcpAddress } from '../transport.ts';
import { ErrorNumber, Readiness } from './kernel.ts';
import type { Watched } from './poller.ts';
import { type Engine, SysConnection } from './sys-connection.ts';

/** So many connections are taken before the others have their turn. */
const maxAcceptsPerTurn = 16;
/** How long nothing is accepted once the process has no descriptor left: they wait in the kernel's queue. */
const exhaustedMs = 100;
/** How often that is told while it lasts. */
const tellEachMs = 10_000;
const nowhere: TcpAddress = { host: '', port: 0 };

export interface SysListenerOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told as each connection's own address; null where the socket has to be asked: a wildcard, or addresses of others. */
  readonly local: TcpAddress | null;
  readonly accept: AcceptHandler;
}

export class SysListener implements Watched {
  generation = 0;
  isDue = false;
  isHolding = false;
  readonly descriptor: number;
  private readonly options: SysListenerOptions;
  private isClosed = false;
  private timer: Timer | null = null;
  /** When somebody was told last that it rests. */
  private toldAt = -Infinity;

  /** `descriptor` listens already, and is the listener's from now on. */
  constructor(descriptor: number, options: SysListenerOptions) {
    this.descriptor = descriptor;
    this.options = options;
  }

  /** Begins to accept. False where the kernel can't watch it. */
  start(): boolean {
    // Told for as long as connections wait, so that a turn may leave some.
    return this.options.engine.poller.watch(this.descriptor, Readiness.IN, this);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.timer?.cancel();
    const { poller, kernel } = this.options.engine;
    // After an upgrade the socket lives on in another process.
    poller.unwatch(this.descriptor);
    kernel.close(this.descriptor);
  }

  onReady(): void {
    const { kernel } = this.options.engine;
    for (let count = 0; count < maxAcceptsPerTurn && !this.isClosed; count++) {
      const fd = kernel.accept(this.descriptor);
      if (fd < 0) {
        // Else another thread or process was faster, or the client has gone.
        if (isExhausted(kernel.errorNumber)) this.rest();
        return;
      }
      this.take(fd, kernel.takenAddress() ?? nowhere);
    }
  }

  onTurn(): void {
    // It asks for none.
  }

  private take(fd: number, remote: TcpAddress): void {
    const { engine, logger, accept } = this.options;
    const local = this.options.local ?? engine.kernel.localAddress(fd) ?? nowhere;
    const connection = new SysConnection(engine, logger, fd, remote, local, true);
    if (connection.watch()) connection.begin(accept);
    else logger.warn('A connection is dropped: the system can watch no more sockets');
  }

  private rest(): void {
    const { engine, clock, logger } = this.options;
    const now = clock.monotonic();
    if (now - this.toldAt >= tellEachMs) {
      this.toldAt = now;
      logger.warn('No connection is accepted for a moment: the process may open no more files', {
        reason: engine.kernel.errorName,
      });
    }
    engine.poller.rest(this.descriptor);
    this.wake(clock);
  }

  private wake(clock: Clock): void {
    this.timer = clock.setTimer(exhaustedMs, () => {
      if (!this.start()) this.wake(clock);
    });
  }
}

function isExhausted(error: number): boolean {
  return (
    error === ErrorNumber.EMFILE ||
    error === ErrorNumber.ENFILE ||
    error === ErrorNumber.ENOBUFS ||
    error === ErrorNumber.ENOMEM
  );
}
