// Hot path.
import type { TextMatcher } from '../../routing/string-matcher.ts';
import type { Connection } from '../../transport/transport.ts';
import type { RbacMatcher } from './rbac-matcher.ts';

/** `destination_port` and `destination_port_range`: the port that the client meant lies in [start, end). Unix sockets have none. */
export class DestinationPort implements RbacMatcher {
  readonly start: number;
  readonly end: number;

  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
  }

  matches({ localPort }: Connection): boolean {
    return localPort > 0 && localPort >= this.start && localPort < this.end;
  }
}

/** `requested_server_name`: what the TLS ClientHello names, in small letters; empty where it names nothing. */
export class RequestedServerName implements RbacMatcher {
  readonly matcher: TextMatcher;

  constructor(matcher: TextMatcher) {
    this.matcher = matcher;
  }

  matches(connection: Connection): boolean {
    const name = connection.tls?.serverName ?? connection.inspectedServerName;
    return this.matcher.matches(name.toLowerCase());
  }
}
