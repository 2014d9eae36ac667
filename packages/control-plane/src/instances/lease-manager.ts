/**
 * Which instances are alive. An instance is held by the stream that published it; it leaves when that stream withdraws
 * it, when no renewal comes for a lease, or when the stream breaks and nobody comes back within the grace period.
 */
import { errorMessage, HeddleError, type Clock, type Logger, type Timer } from '@heddle/base';
import type { Instance, InstanceStore } from './instance-store.ts';

/** Durations of a lease, in milliseconds. */
export interface LeaseTimes {
  /** Without renewal for so long, an instance is withdrawn. */
  readonly leaseMs: number;
  /** How often a sidecar is told to renew: several renewals may get lost. */
  readonly renewMs: number;
  /** How long an instance whose stream broke may take to come back. */
  readonly graceMs: number;
}

export const defaultLeaseTimes: LeaseTimes = { leaseMs: 5000, renewMs: 1250, graceMs: 2000 };

/**
 * `ready`: held by a stream. `grace`: its stream broke. `restored`: read from the store after a start, not heard of
 * since.
 */
export type LeaseState = 'ready' | 'grace' | 'restored';

/** An instance and how it stands. Immutable: replaced when something changes. */
export interface LeasedInstance {
  readonly instance: Instance;
  readonly state: LeaseState;
  /** Milliseconds since 1970, as of the last renewal. */
  readonly leaseExpiresAt: number;
}

/** Why an instance left. */
export type WithdrawReason = 'withdrawn' | 'lease-expired' | 'stream-lost';

/** What listeners are told; a renewal alone is no event. */
export type LeaseEvent =
  | { readonly type: 'published'; readonly instance: Instance; readonly previous: Instance | undefined }
  | { readonly type: 'state'; readonly instance: Instance; readonly state: LeaseState }
  | { readonly type: 'withdrawn'; readonly instance: Instance; readonly reason: WithdrawReason };

/** A stream's hold on the instance that it published. */
export interface LeaseHolder {
  /** Lengthens the lease. False where the hold is lost: the instance has expired, or another stream has published it. */
  renew(): boolean;
  /** Takes the instance out. Resolves when that is stored. */
  withdraw(): Promise<void>;
  /** The stream is gone: starts the grace period, unless the hold is lost or the instance withdrawn. */
  release(): void;
}

interface Lease {
  readonly instance: Instance;
  state: LeaseState;
  /** Null while nobody holds it. */
  holder: LeaseHolder | null;
  /** Monotonic milliseconds; infinite where another control plane judges it. */
  deadline: number;
  /** Whether the store has it. */
  isStored: boolean;
}

/** The deadline of what another control plane holds: the store says when it is gone. */
const judgedElsewhere = Infinity;

/** How often leases are judged, at least. */
const checkMs = 500;
/** A check that comes later than this shows that this process stood still, and that renewals may lie unread. */
const stallMs = 1000;

/** Keeps the leases and the store of instances in step. */
export class LeaseManager {
  readonly times: LeaseTimes;
  private readonly clock: Clock;
  private readonly store: InstanceStore;
  private readonly logger: Logger;
  private readonly leases = new Map<string, Lease>();
  private readonly listeners = new Set<(event: LeaseEvent) => void>();
  private timer: Timer | null = null;
  private timerDue = 0;
  /** Store writes happen one after the other, in the order of the events. */
  private writing: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(options: {
    readonly clock: Clock;
    readonly store: InstanceStore;
    readonly logger: Logger;
    readonly times?: LeaseTimes;
  }) {
    this.clock = options.clock;
    this.store = options.store;
    this.logger = options.logger;
    this.times = options.times ?? defaultLeaseTimes;
  }

  /** Takes over what the store holds: every instance gets one full lease to report. Called once, before all else. */
  async restore(): Promise<void> {
    const deadline = this.clock.monotonic() + this.times.leaseMs;
    for (const instance of await this.store.list()) {
      this.leases.set(instance.instance, {
        instance,
        state: 'restored',
        holder: null,
        deadline,
        isStored: true,
      });
    }
    this.schedule(deadline);
    await this.store.watch?.({
      onPut: (instance) => this.putElsewhere(instance),
      onRemove: (instance) => this.removeElsewhere(instance),
    });
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: (event: LeaseEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** All instances, sorted by id. */
  list(): readonly LeasedInstance[] {
    return [...this.leases.values()]
      .sort((a, b) => (a.instance.instance < b.instance.instance ? -1 : 1))
      .map((lease) => this.describe(lease));
  }

  get size(): number {
    return this.leases.size;
  }

  get(instance: string): LeasedInstance | undefined {
    const lease = this.leases.get(instance);
    return lease === undefined ? undefined : this.describe(lease);
  }

  /**
   * Publishes an instance, or takes it over from the stream that held it. Resolves with the hold when that is stored.
   * Rejects with `HEDDLE_INSTANCE_TAKEN` where the id belongs to an instance of another identity.
   */
  async publish(instance: Instance): Promise<LeaseHolder> {
    const present = this.leases.get(instance.instance);
    if (present !== undefined && !sameOwner(present.instance, instance)) {
      throw new HeddleError(
        'HEDDLE_INSTANCE_TAKEN',
        `The instance id ${instance.instance} belongs to service account ${present.instance.serviceAccount} of namespace ${present.instance.namespace}: choose another id.`,
      );
    }
    const unchanged = present !== undefined && sameInstance(present.instance, instance);
    // Not where its sidecar has come over from another control plane, or where it could not be stored the last time.
    const isStored = unchanged && present.isStored && present.deadline !== judgedElsewhere;
    // An instance that comes back unchanged keeps the time at which it was published first.
    const kept = unchanged ? present.instance : instance;
    const holder = this.makeHolder(instance.instance);
    const deadline = this.clock.monotonic() + this.times.leaseMs;
    const lease: Lease = { instance: kept, state: 'ready', holder, deadline, isStored };
    this.leases.set(instance.instance, lease);
    this.schedule(deadline);
    if (!unchanged) this.emit({ type: 'published', instance: kept, previous: present?.instance });
    else if (present.state !== 'ready') this.emit({ type: 'state', instance: kept, state: 'ready' });
    if (!isStored) {
      await this.write(() => this.store.put(kept));
      lease.isStored = true;
    } else if (present.state !== 'ready') {
      await this.writing;
    }
    return holder;
  }

  /** Stops judging. Instances stay in the store for the next start. Resolves when all writes are done. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    this.timer = null;
    this.listeners.clear();
    await this.writing;
  }

  private putElsewhere(instance: Instance): void {
    if (this.isClosed) return;
    const previous = this.leases.get(instance.instance)?.instance;
    const lease: Lease = {
      instance,
      state: 'ready',
      holder: null,
      deadline: judgedElsewhere,
      isStored: true,
    };
    this.leases.set(instance.instance, lease);
    if (previous === undefined || !sameInstance(previous, instance))
      this.emit({ type: 'published', instance, previous });
  }

  private removeElsewhere(id: string): void {
    const lease = this.leases.get(id);
    if (lease === undefined || lease.deadline !== judgedElsewhere || this.isClosed) return;
    this.leases.delete(id);
    this.emit({ type: 'withdrawn', instance: lease.instance, reason: 'withdrawn' });
  }

  private makeHolder(id: string): LeaseHolder {
    const held = (): Lease | undefined => {
      const lease = this.leases.get(id);
      return lease?.holder === holder && !this.isClosed ? lease : undefined;
    };
    const holder: LeaseHolder = {
      renew: () => {
        const lease = held();
        if (lease === undefined) return false;
        lease.deadline = this.clock.monotonic() + this.times.leaseMs;
        return true;
      },
      withdraw: async () => {
        const lease = held();
        if (lease !== undefined) await this.remove(lease, 'withdrawn');
      },
      release: () => {
        const lease = held();
        if (lease === undefined) return;
        lease.holder = null;
        lease.state = 'grace';
        lease.deadline = Math.min(lease.deadline, this.clock.monotonic() + this.times.graceMs);
        this.schedule(lease.deadline);
        this.emit({ type: 'state', instance: lease.instance, state: 'grace' });
      },
    };
    return holder;
  }

  private async remove(lease: Lease, reason: WithdrawReason): Promise<void> {
    const id = lease.instance.instance;
    this.leases.delete(id);
    this.emit({ type: 'withdrawn', instance: lease.instance, reason });
    await this.write(() => this.store.remove(id));
  }

  private write(action: () => Promise<void>): Promise<void> {
    const written = this.writing.then(action);
    this.writing = written.catch((error: unknown) => {
      this.logger.error('Cannot store an instance', { error: errorMessage(error) });
    });
    return written;
  }

  private emit(event: LeaseEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  private describe(lease: Lease): LeasedInstance {
    const remainingMs =
      lease.deadline === judgedElsewhere ? this.times.leaseMs : lease.deadline - this.clock.monotonic();
    const leaseExpiresAt = Math.round(this.clock.now() + remainingMs);
    return { instance: lease.instance, state: lease.state, leaseExpiresAt };
  }

  /** Makes sure that a check happens by `deadline` (monotonic), and every `checkMs` anyway to notice stalls. */
  private schedule(deadline = Infinity): void {
    if (this.isClosed || this.leases.size === 0) return;
    const now = this.clock.monotonic();
    const due = Math.min(now + checkMs, deadline);
    if (this.timer !== null && this.timerDue <= due) return;
    this.timer?.cancel();
    this.timerDue = due;
    this.timer = this.clock.setTimer(Math.max(0, due - now), () => {
      this.timer = null;
      this.check();
    });
  }

  private check(): void {
    const now = this.clock.monotonic();
    if (now - this.timerDue > stallMs) this.forgiveStall(now);
    let earliest = Infinity;
    for (const lease of this.leases.values()) {
      if (lease.deadline > now) {
        earliest = Math.min(earliest, lease.deadline);
        continue;
      }
      const reason = lease.state === 'grace' ? 'stream-lost' : 'lease-expired';
      this.logger.warn('Withdrawing an instance', { instance: lease.instance.instance, reason });
      // A failed write is logged; the next start restores the instance and withdraws it again.
      this.remove(lease, reason).catch(() => {});
    }
    this.schedule(earliest);
  }

  /** We were late ourselves: nobody could be heard, so everybody gets their time anew. */
  private forgiveStall(now: number): void {
    this.logger.warn('The control plane stood still; no lease is judged by that', {
      stallMs: Math.round(now - this.timerDue),
    });
    for (const lease of this.leases.values()) {
      const time = lease.state === 'grace' ? this.times.graceMs : this.times.leaseMs;
      lease.deadline = Math.max(lease.deadline, now + time);
    }
  }
}

function sameOwner(a: Instance, b: Instance): boolean {
  return a.namespace === b.namespace && a.serviceAccount === b.serviceAccount;
}

function sameInstance(a: Instance, b: Instance): boolean {
  return (
    a.service === b.service &&
    a.servicePort === b.servicePort &&
    a.protocol === b.protocol &&
    a.address === b.address &&
    a.port === b.port &&
    a.takesTunnels === b.takesTunnels &&
    labelText(a) === labelText(b)
  );
}

function labelText(instance: Instance): string {
  return JSON.stringify(Object.entries(instance.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
