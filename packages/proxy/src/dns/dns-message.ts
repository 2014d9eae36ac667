// DNS messages (RFC 1035), as data. Names are lower case, without the dot at the end; the root is the empty string.

/** The record types that mean something here; all others travel as bytes. */
export const RecordType = { a: 1, cname: 5, ptr: 12, aaaa: 28, srv: 33, opt: 41 } as const;

export const ResponseCode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** The Internet class. */
export const internetClass = 1;

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export type DnsData =
  /** A and AAAA. */
  | { readonly kind: 'address'; readonly address: string }
  /** CNAME and PTR. */
  | { readonly kind: 'name'; readonly name: string }
  | {
      readonly kind: 'service';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly kind: 'raw'; readonly bytes: Buffer };

export interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: DnsData;
}

export interface DnsHeader {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  /** With EDNS's upper bits where the message has them. */
  readonly responseCode: number;
}

export interface DnsMessage extends DnsHeader {
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** The largest datagram that the sender takes, as its EDNS record says (RFC 6891); null where it has none. */
  readonly ednsPayloadBytes: number | null;
}

/** What a question asks for, in one line; for logs and comparisons. */
export function questionText({ name, type, class: classNumber }: DnsQuestion): string {
  return `${name} ${type} ${classNumber}`;
}
