import type { ClientName } from './certificates.ts';
import type { SetupName } from '../setups.ts';

/** One thing a client does; waiting ends with an event or, where nothing comes, with a note in what was observed. */
export type Step =
  /** Bytes, one per character. */
  | { readonly send: string }
  /** Half-close. */
  | { readonly end: true }
  /** Drop the connection. */
  | { readonly reset: true }
  /** Until so many final responses have come, or the connection is closed. */
  | { readonly responses: number }
  /** Until what has come holds this text, or the connection is closed. */
  | { readonly text: string }
  /** Until the upstream has begun so many requests (or, raw, got this many bytes). */
  | { readonly upstreamHeads: number }
  | { readonly upstreamBytes: number }
  /** Until the connection is closed. */
  | { readonly closed: true };

/** What the upstream does with each request, in order; the last one repeats. */
export interface Answer {
  /** Bytes, one per character; a function of the connection's count of requests where that matters. */
  readonly text: string;
  /** Once the head is there, or once the request is complete (the default). */
  readonly when?: 'head' | 'request';
  /** What becomes of its connection afterwards. */
  readonly afterwards?: 'close' | 'reset' | 'echo';
}

/** What an upstream of HTTP/2 does with each stream, in order; the last one repeats. */
export interface StreamAnswer {
  /** Status of an interim response. */
  readonly interim?: number;
  /** The head, `:status` included; none for a stream that is only cut off. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  /** RST_STREAM with this code behind it. */
  readonly reset?: number;
  /** Once the head is there, or once the request is complete (the default). */
  readonly when?: 'head' | 'request';
  /** What becomes of its connection afterwards; `echo`: what comes on the stream goes back. */
  readonly afterwards?: 'goaway' | 'destroy' | 'echo';
}

/** What a client of HTTP/2 sends; a POST of `/` to `a`, where nothing else is said. */
export interface StreamRequest {
  readonly fields: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
}

/** The same bytes for both proxies, and which counters they move. */
export interface DifferentialCase {
  /** What is shown. */
  readonly name: string;
  /** What it stands for: a rule of the engine's list, a field, an attack class. */
  readonly rule: string;
  readonly setup?: SetupName;
  /** Bytes to send, after which one response is awaited; the steps; or requests over HTTP/2, one after the other. */
  readonly client: string | readonly Step[] | { readonly requests: readonly StreamRequest[] };
  /** Offers TLS with this server name and these protocols. */
  readonly tls?: {
    readonly serverName?: string;
    readonly alpn?: readonly string[];
    /** Shows this client's certificate. */
    readonly certificate?: ClientName;
  };
  readonly upstream?: Answer | readonly Answer[];
  /** Where the setup's upstream speaks HTTP/2. */
  readonly streams?: readonly StreamAnswer[];
  /** Sent by the upstream as soon as somebody connects. */
  readonly greeting?: string;
  /** Bytes as they are, nothing parsed: TCP proxying and tunnels. */
  readonly raw?: boolean;
  /** By how much each has grown when it is over; those not named may do as they like. */
  readonly counters: Readonly<Record<string, number>>;
}

/** A message as both proxies must have passed it on: names in lower case, sorted; what differs from run to run left out. */
export interface SeenMessage {
  readonly line: string;
  readonly fields: readonly string[];
  /** `stream`: as long as the stream of HTTP/2. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close' | 'stream';
  readonly body: string;
  readonly trailers: readonly string[];
}

/** Everything that was observed of one case on one side. */
export interface Observation {
  readonly responses: readonly SeenMessage[];
  /** What the client read, where the case is raw. */
  readonly received: string;
  readonly connection: 'open' | 'closed';
  readonly upstream: readonly SeenMessage[];
  /** What the upstream read, where the case is raw or a tunnel. */
  readonly upstreamBytes: string;
  readonly counters: Readonly<Record<string, number>>;
  /** Lines of the access log, where the setup has one. */
  readonly log: readonly string[];
  /** A step whose event never came. */
  readonly stalled: string;
}
