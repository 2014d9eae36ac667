// Hot path.
import { type Clock, errorMessage, type Logger } from '@heddle/base';

/** Something that has collected bytes to be sent. */
export interface Flushable {
  /** Hands what is there to the kernel. Called in between where many wait; `flush` still follows. */
  writeOut(): void;
  /** The turn is over: as `writeOut`, and what else is done then. */
  flush(): void;
  /** It has thrown: it is to end. */
  drop(): void;
}

/** So many may hold memory for what they are about to send. */
const maxHolding = 64;

/**
 * What was written outside of a read of its own connection leaves at the end of the turn of the event loop: the responses
 * of one upstream connection to many streams of a client in one write.
 */
export class FlushQueue {
  private readonly clock: Clock;
  private waiting: Flushable[] = [];
  /** The array that is being worked through, or empty. */
  private spare: Flushable[] = [];
  /** As many of those that wait have been told to write out. */
  private written = 0;
  private readonly run: () => void;
  private readonly logger: Logger | null;

  /** `logger` is told of what throws; without one the error goes on, to nobody who could end that connection alone. */
  constructor(clock: Clock, logger: Logger | null = null) {
    this.clock = clock;
    this.logger = logger;
    this.run = () => {
      this.flushAll();
    };
  }

  /** Has `one` flushed at the end of this turn. To be called once until then. */
  add(one: Flushable): void {
    const { waiting } = this;
    if (waiting.length === 0) this.clock.defer(this.run);
    waiting.push(one);
    if (waiting.length - this.written <= maxHolding) return;
    // All but the one that asks, which may be in the middle of a frame.
    while (this.written < waiting.length - 1) waiting[this.written++]!.writeOut();
  }

  private flushAll(): void {
    const { waiting } = this;
    this.waiting = this.spare;
    this.spare = waiting;
    this.written = 0;
    let done = 0;
    try {
      while (done < waiting.length) this.flush(waiting[done++]!);
    } finally {
      // Who throws keeps nobody else from being flushed.
      while (done < waiting.length) this.add(waiting[done++]!);
      waiting.length = 0;
    }
  }

  /** A bug of ours costs this connection, never the process. */
  private flush(one: Flushable): void {
    try {
      one.flush();
    } catch (error) {
      if (this.logger === null) throw error;
      const stack = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
      this.logger.error('internal error, connection dropped', { stack });
      one.drop();
    }
  }
}
