import type { TcpAddress, TransportAddress, UnixAddress } from './transport.ts';

export function isUnixAddress(address: TransportAddress): address is UnixAddress {
  return 'path' in address;
}

/** For people: `host:port`, brackets around IPv6; a Unix socket's path, `@name` for an abstract one. */
export function describeAddress(address: TransportAddress): string {
  if (isUnixAddress(address)) return address.path.replace(/^\0/, '@');
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The reverse of `hostAndPort`: no IP address or name begins like a path, nor like the zero byte of an abstract socket. */
export function addressAt(host: string, port: number): TransportAddress {
  return host.startsWith('/') || host.startsWith('\0') ? { path: host } : { host, port };
}

/** The address as a connection tells its own: a Unix socket's path in place of the host, with port 0. */
export function hostAndPort(address: TransportAddress): TcpAddress {
  return isUnixAddress(address) ? { host: address.path, port: 0 } : address;
}
