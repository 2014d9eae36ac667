// Keys of session tickets: which there are at a moment, and how OpenSSL is given them.
import { hkdfSync, randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { type Clock, invariant } from '@heddle/base';
import type { TicketPolicy } from '../../tls/tls-config.ts';

/** RFC 5077 §4: the key's name goes with each ticket, in clear. */
interface TicketKey {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
}

const partBytes = 16;
/** How long a key of our own makes tickets. It opens them for as long again. */
const rotationMs = 3_600_000;

/**
 * The keys of one server's tickets. Keys of our own follow from the process's secret, the hour, and `scope`: the digest of what
 * peers are judged by. So a ticket is void as soon as the trust or the policy is another one, and all threads that share
 * the secret open each other's tickets without talking to each other.
 */
export class TicketKeys {
  private readonly clock: Clock;
  private readonly secret: Buffer;
  private readonly scope: string;
  private readonly given: readonly TicketKey[];
  private hour = -1;
  private own: readonly TicketKey[] = [];

  constructor(policy: TicketPolicy, scope: string, secret: Buffer, clock: Clock) {
    this.clock = clock;
    this.secret = secret;
    this.scope = scope;
    this.given = policy.kind === 'given' ? policy.keys.map((key) => derive(key.bytes, 'given')) : [];
  }

  /** Makes and opens the tickets of `context` from now on. */
  install(context: SecureContext): void {
    const { context: native } = context as { readonly context: NativeContext };
    invariant(
      typeof native.enableTicketKeyCallback === 'function',
      'this Node has no ticket key callback: use the Node that Heddle brings along',
    );
    native.onticketkeycallback = (name, _iv, isNew) => this.answer(name, isNew);
    native.enableTicketKeyCallback();
  }

  /** OpenSSL's question: which key makes a ticket, or opens the one that the key of this name made. */
  answer(name: Buffer, isNew: boolean): TicketAnswer {
    const keys = this.current();
    if (isNew) {
      const key = keys[0]!;
      return [Outcome.good, key.hmac, key.aes, key.name, randomBytes(partBytes)];
    }
    const key = keys.find((one) => one.name.equals(name));
    // A ticket is used once (RFC 8446 appendix C.4), so that each resumed handshake has to bring the next.
    return key === undefined ? unknown : [Outcome.renew, key.hmac, key.aes];
  }

  /** The key that makes tickets, then the older ones. */
  private current(): readonly TicketKey[] {
    if (this.given.length > 0) return this.given;
    const hour = Math.floor(this.clock.now() / rotationMs);
    if (hour !== this.hour) {
      this.hour = hour;
      this.own = [hour, hour - 1].map((time) => derive(this.secret, `${time} ${this.scope}`));
    }
    return this.own;
  }
}

const Outcome = { unknown: 0, good: 1, renew: 2 } as const;

/** Node takes the parts even where it makes no use of them, and ends the process without. */
const unknown: TicketAnswer = [Outcome.unknown, Buffer.alloc(partBytes), Buffer.alloc(partBytes)];

/** An outcome; where the key is known, its parts; for a new ticket its name and an initialisation vector. */
export type TicketAnswer =
  | readonly [number, Buffer, Buffer]
  | readonly [number, Buffer, Buffer, Buffer, Buffer];

/**
 * Node's public `setTicketKeys` knows one key at a time: with it every ticket would be void at each rotation. This callback
 * has been there, without documentation, since Node 0.12.
 */
interface NativeContext {
  onticketkeycallback?: (name: Buffer, iv: Buffer, isNew: boolean) => TicketAnswer;
  enableTicketKeyCallback?(): void;
}

function derive(secret: Buffer, info: string): TicketKey {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', `heddle ticket key ${info}`, 3 * partBytes));
  return {
    name: bytes.subarray(0, partBytes),
    hmac: bytes.subarray(partBytes, 2 * partBytes),
    aes: bytes.subarray(2 * partBytes),
  };
}
