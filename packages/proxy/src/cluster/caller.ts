import type { Connection, ConnectionSource, TcpAddress } from '../transport/transport.ts';

/** The two ends of a caller's connection. */
export interface ConnectionEnds {
  readonly source: TcpAddress;
  readonly destination: TcpAddress;
}

/** What of a caller's connection says whose requests it brings. */
export type Caller = Pick<
  Connection,
  'upstreamSource' | 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'
>;

export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Caller): ConnectionEnds {
  return {
    source: { host: remoteAddress, port: remotePort },
    destination: { host: localAddress, port: localPort },
  };
}

/** Names the pool whose connections come from `source` and tell of `ends`. */
export function callerKey(source: ConnectionSource | null, ends: ConnectionEnds | null): string {
  return `${source?.host} ${source?.mark} ${JSON.stringify(ends)}`;
}
