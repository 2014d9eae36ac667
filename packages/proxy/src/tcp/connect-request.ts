import type { FieldFilter } from '../codec/field-filter.ts';
import { FieldList } from '../codec/field-list.ts';
import { BodyKind, type RequestHeadView } from '../codec/message-view.ts';
import { OutgoingRequest } from '../codec/outgoing-request.ts';
import type { TunnelingConfig } from '../config/listener-config.ts';

const nothing: FieldFilter = new Uint8Array(256);

/** A CONNECT request of the proxy's own: it has no fields but those that are added to it. */
class ConnectHead implements RequestHeadView {
  readonly method = 'CONNECT';
  readonly path = '';
  readonly hasFragment = false;
  readonly authority: string;
  readonly replacesHost = false;
  readonly lacksHost = false;
  readonly protocol = 'HTTP/1.1';
  readonly expectsContinue = false;
  readonly acceptsTrailers = false;
  readonly wantedUpgrade = 'connect';
  readonly bodyKind = BodyKind.none;
  readonly contentLength = 0;

  constructor(authority: string) {
    this.authority = authority;
  }

  header(): null {
    return null;
  }

  headerValue(): null {
    return null;
  }

  valueById(): string {
    return '';
  }

  joinedById(): null {
    return null;
  }

  isNominated(): boolean {
    return false;
  }

  keptFields(): void {
    // There are none.
  }

  http1Lines(): string {
    return `CONNECT ${this.authority} HTTP/1.1\r\nhost: ${this.authority}\r\n`;
  }

  upgradeLines(): string {
    return '';
  }
}

/** The request that opens a stream for a connection's bytes (RFC 9110 §9.3.6, RFC 9113 §8.5); the same for all of them. */
export function connectRequest({ authority, fields }: TunnelingConfig): OutgoingRequest {
  const request = new OutgoingRequest();
  request.head = new ConnectHead(authority);
  request.authority = authority;
  request.filter = nothing;
  request.added = FieldList.of(...fields);
  request.upgrade = 'connect';
  return request;
}
