import type { Clock } from '@heddle/base';

/** A resource whose present state, or whose absence, clients should confirm. */
export interface AcknowledgementTarget {
  readonly typeUrl: string;
  readonly name: string;
}

export interface AcknowledgementOutcome {
  /** Every client concerned has confirmed or is gone. */
  readonly acknowledged: boolean;
  /** Clients that have not. */
  readonly waiting: number;
}

/** What one stream has still to confirm. */
export interface Requirement {
  readonly typeUrl: string;
  readonly name: string;
  /** A response of this type with this sequence number or a later one, and with this name in it, confirms. */
  readonly sequence: number;
}

/** The requirements of one stream for one wait. */
class StreamWait {
  private readonly wait: Wait;
  private remaining: Requirement[];

  constructor(wait: Wait, requirements: Requirement[]) {
    this.wait = wait;
    this.remaining = requirements;
  }

  /** Drops the requirements that `isMet` says are met; true when none is left. */
  settle(isMet: (requirement: Requirement) => boolean): boolean {
    this.remaining = this.remaining.filter((requirement) => !isMet(requirement));
    if (this.remaining.length > 0) return false;
    this.wait.streamDone();
    return true;
  }
}

/** One caller waiting for many streams. */
class Wait {
  private waiting = 0;
  private isOver = false;
  private readonly registrations: (() => void)[] = [];
  private readonly resolve: (outcome: AcknowledgementOutcome) => void;

  constructor(resolve: (outcome: AcknowledgementOutcome) => void) {
    this.resolve = resolve;
  }

  addStream(acknowledgements: StreamAcknowledgements, requirements: Requirement[]): void {
    this.waiting++;
    this.registrations.push(acknowledgements.add(new StreamWait(this, requirements)));
  }

  streamDone(): void {
    this.waiting--;
    if (this.waiting === 0) this.finish();
  }

  finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const unregister of this.registrations) unregister();
    this.resolve({ acknowledged: this.waiting === 0, waiting: this.waiting });
  }

  get isIdle(): boolean {
    return this.waiting === 0;
  }
}

/** The waits that concern one stream. */
export class StreamAcknowledgements {
  private readonly waits = new Set<StreamWait>();

  /** Returns how to take it back. */
  add(wait: StreamWait): () => void {
    this.waits.add(wait);
    return () => this.waits.delete(wait);
  }

  /** The client confirmed a response. */
  acknowledge(typeUrl: string, sequence: number, names: readonly string[]): void {
    this.settle(
      (requirement) =>
        requirement.typeUrl === typeUrl &&
        sequence >= requirement.sequence &&
        names.includes(requirement.name),
    );
  }

  /** The client does not want these any more; no names: it is gone. */
  release(typeUrl?: string, name?: string): void {
    this.settle(
      (requirement) =>
        typeUrl === undefined ||
        (requirement.typeUrl === typeUrl && (name === undefined || requirement.name === name)),
    );
  }

  private settle(isMet: (requirement: Requirement) => boolean): void {
    for (const wait of this.waits) {
      if (wait.settle(isMet)) this.waits.delete(wait);
    }
  }
}

/** A stream as a wait sees it. */
export interface AcknowledgingStream {
  readonly acknowledgements: StreamAcknowledgements;
  /** What this stream has still to confirm; null where it knows nothing older than the present state. */
  requirementFor(target: AcknowledgementTarget): Requirement | null;
}

/** Waits until all streams that were told an older state of the targets have confirmed, or the time is up. */
export function waitForAcknowledgements(
  streams: Iterable<AcknowledgingStream>,
  targets: readonly AcknowledgementTarget[],
  timeoutMs: number,
  clock: Clock,
): Promise<AcknowledgementOutcome> {
  const { promise, resolve } = Promise.withResolvers<AcknowledgementOutcome>();
  const wait = new Wait((outcome) => {
    timer.cancel();
    resolve(outcome);
  });
  const timer = clock.setTimer(timeoutMs, () => wait.finish());
  for (const stream of streams) {
    const requirements = targets.flatMap((target) => stream.requirementFor(target) ?? []);
    if (requirements.length > 0) wait.addStream(stream.acknowledgements, requirements);
  }
  if (wait.isIdle) wait.finish();
  return promise;
}
