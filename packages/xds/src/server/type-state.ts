// One type of resources on one stream: what the client asked for, what it knows, what it should be told.
import { collectionOf } from '../type-url.ts';
import { NameStates, type NameTable } from './name-table.ts';
import { KnownVersion } from './version-table.ts';
import type { ResourceStatus, TypeStatus } from './stream-status.ts';

/** A response that has been sent and not been answered. */
export interface InFlight {
  /** Counts the responses of this type on this stream. */
  readonly sequence: number;
  /** Monotonic milliseconds. */
  readonly sentAt: number;
  readonly names: readonly string[];
}

/** Beyond this many unanswered responses the oldest is forgotten: a client that never answers costs no more memory. */
const maxInFlight = 64;

export class TypeState {
  readonly typeUrl: string;
  /** Whether the client wants everything there is. */
  isWildcard = false;
  /** What the client wants by name, and what it was last told of each resource. */
  readonly names: NameStates;
  /** Names to compare with the source. */
  readonly pending = new Set<string>();
  /** Names to answer even where nothing changed. */
  readonly forced = new Set<string>();
  /** Names that are gone and that the client may still be using, with the monotonic time at which that ends to matter. */
  readonly heldRemovals = new Map<string, number>();
  /** Whether a response is due even if it is empty. */
  isAnswerDue = false;
  readonly inFlight = new Map<string, InFlight>();
  /** What the client refused, with its reason, until it is sent anew. */
  readonly rejected = new Map<string, { readonly reason: string; readonly at: number }>();
  private sequence = 0;
  private acknowledged = 0;

  constructor(typeUrl: string, table: NameTable) {
    this.typeUrl = typeUrl;
    this.names = new NameStates(table);
  }

  /** Whether a change of this name concerns the client. */
  isInterestedIn(name: string): boolean {
    if (this.isWildcard || this.names.isNamed(name)) return true;
    const collection = collectionOf(this.typeUrl, name);
    return collection !== undefined && this.names.isNamed(collection);
  }

  /** Nothing is to be sent (held removals apart) and nothing is on its way. */
  get isIdle(): boolean {
    return this.pending.size === 0 && !this.isAnswerDue && this.inFlight.size === 0;
  }

  /** Nothing is to be sent, now or later. */
  get isQuiet(): boolean {
    return this.pending.size === 0 && !this.isAnswerDue && this.heldRemovals.size === 0;
  }

  /** The client uses the latest state, and nothing older. */
  get isSettled(): boolean {
    return this.isIdle && this.rejected.size === 0 && this.heldRemovals.size === 0;
  }

  /** The sequence number that the next response will have. */
  get nextSequence(): number {
    return this.sequence + 1;
  }

  /** Whether a response sent after `since` waits for its answer. */
  isWaitingForAnswer(since: number): boolean {
    for (const response of this.inFlight.values()) {
      if (response.sentAt > since) return true;
    }
    return false;
  }

  /** The sequence number of the last unanswered response with this name, or 0. */
  inFlightSequenceOf(name: string): number {
    let sequence = 0;
    for (const response of this.inFlight.values()) {
      if (response.names.includes(name)) sequence = response.sequence;
    }
    return sequence;
  }

  noteSent(nonce: string, names: readonly string[], now: number): void {
    this.sequence++;
    this.inFlight.set(nonce, { sequence: this.sequence, sentAt: now, names });
    for (const name of names) this.rejected.delete(name);
    if (this.inFlight.size <= maxInFlight) return;
    for (const oldest of this.inFlight.keys()) {
      this.inFlight.delete(oldest);
      return;
    }
  }

  /** A response has been accepted: what an earlier one said of its names is over, whatever the client still says of that. */
  noteAcknowledged({ sequence, names }: InFlight): void {
    this.acknowledged++;
    for (const [nonce, earlier] of this.inFlight) {
      if (earlier.sequence > sequence) continue;
      const left = earlier.names.filter((name) => !names.includes(name));
      this.inFlight.set(nonce, { ...earlier, names: left });
    }
  }

  /** Whether a response is the last that said something of a name. */
  isCurrent(name: string, { sequence }: InFlight): boolean {
    return this.inFlightSequenceOf(name) < sequence;
  }

  /** Forgets everything about a name. */
  forget(name: string): void {
    this.names.setVersion(name, KnownVersion.none);
    this.pending.delete(name);
    this.forced.delete(name);
    this.heldRemovals.delete(name);
    this.rejected.delete(name);
  }

  /** Each resource that the client has asked for or was told of. */
  *resources(): Generator<ResourceStatus> {
    const sent = new Set([...this.inFlight.values()].flatMap(({ names }) => names));
    for (const name of new Set([...this.names.names(), ...this.pending])) {
      const version = this.names.version(name);
      const refusal = this.rejected.get(name) ?? null;
      let state: ResourceStatus['state'] = 'acknowledged';
      if (refusal !== null) state = 'refused';
      else if (sent.has(name) || (this.pending.has(name) && version > KnownVersion.absent)) state = 'stale';
      else if (version === KnownVersion.none) state = 'unsent';
      else if (version === KnownVersion.absent) state = 'absent';
      yield { typeUrl: this.typeUrl, name, state, refusal };
    }
  }

  status(): TypeStatus {
    return {
      sent: this.sequence,
      acknowledged: this.acknowledged,
      synced: this.isSettled,
    };
  }
}
