// Hot path.
// A message's head as the connection manager reads it, whichever codec it came by.
import type { FieldFilter } from './field-filter.ts';
import type { FieldList } from './field-list.ts';

/**
 * How long a body is and how its end is known. `chunked` is HTTP/1's framing, passed on as it came; where the recipient
 * knows no chunks the body is unframed and its end is the message's (`untilEnd`), as in HTTP/2 without Content-Length.
 */
export const BodyKind = { none: 0, length: 1, chunked: 2, untilEnd: 3 } as const;

/** What request and response heads share. */
export interface MessageView {
  /** One of `BodyKind`. */
  readonly bodyKind: number;
  /** Bytes of the body where `bodyKind` is `length`. */
  readonly contentLength: number;
  /** All values of a field joined with `,` (RFC 9110 §5.3), or null where it is absent. */
  header(lowerCaseName: string): string | null;
  /** The value of the field's line number `index`, from 0; null where there are fewer. */
  headerValue(lowerCaseName: string, index: number): string | null;
  /** The first field with this `FieldId`, or an empty string. */
  valueById(id: number): string;
  /** All values of the fields with this `FieldId` joined with `,`, or null where there is none. */
  joinedById(id: number): string | null;
  /** Adds to `into` the fields that pass `filter` and have none of the names `replaced` (lower case). */
  keptFields(filter: FieldFilter, replaced: readonly string[] | null, into: FieldList): void;
}

/** A request's head. */
export interface RequestHeadView extends MessageView {
  readonly method: string;
  /** Path and query as they came, `*` for OPTIONS, empty for CONNECT. */
  readonly path: string;
  /** `path` has a fragment, which travels in no request: a codec that takes such requests leaves it to others to refuse them. */
  readonly hasFragment: boolean;
  /** Host as it is routed and forwarded. */
  readonly authority: string;
  /** Nothing says whom the request is for: a codec that takes such requests leaves it to others to refuse them. */
  readonly lacksHost: boolean;
  /** `authority` doesn't stand in a Host field that could go on as it came. */
  readonly replacesHost: boolean;
  /** `HTTP/1.1`, as logs show it. */
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  readonly expectsContinue: boolean;
  /** `TE: trailers`: the client reads trailers. */
  readonly acceptsTrailers: boolean;
  /** What the request is to become (`websocket`, `connect`), in lower case; empty where it stays what it is. */
  readonly wantedUpgrade: string;
  /** True where the message itself says that fields of this name are for this hop only. */
  isNominated(lowerCaseName: string): boolean;
  /** The start line and the kept fields for HTTP/1.1, each ended by CRLF. */
  http1Lines(
    path: string,
    authority: string,
    filter: FieldFilter,
    replaced: readonly string[] | null,
  ): string;
  /** The two lines that ask an HTTP/1.1 upstream for `wantedUpgrade`, each ended by CRLF. */
  upgradeLines(): string;
}

/** A response's head. */
export interface ResponseHeadView extends MessageView {
  readonly status: number;
  /** Nothing follows it: the end of the response is told next. */
  readonly isWhole: boolean;
  readonly hasServer: boolean;
  readonly hasDate: boolean;
  /** The start line in `version` and the kept fields, each ended by CRLF. */
  http1Lines(
    version: 'HTTP/1.0' | 'HTTP/1.1',
    filter: FieldFilter,
    replaced: readonly string[] | null,
  ): string;
  /** The two lines that tell an HTTP/1.1 client what its request has become, each ended by CRLF. */
  upgradeLines(): string;
}
