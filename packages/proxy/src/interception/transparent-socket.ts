// Sockets that may hold addresses of others: TPROXY's listeners, and connections in the name of a caller.
import { HeddleError } from '@heddle/base';
import { isIpv6Address, unmapped } from '../transport/ip-address.ts';
import type { ConnectionSource } from '../transport/transport.ts';
import { type CallResult, type Libc, SocketConstant as C, openLibc } from './libc.ts';
import { encodeSocketAddress } from './socket-address.ts';

function setTransparent(libc: Libc, fd: number, v6: boolean): CallResult {
  // Both families' options set the same bit of the socket; each wants a socket of its own family.
  return v6
    ? libc.setsockopt(fd, C.SOL_IPV6, C.IPV6_TRANSPARENT, 1)
    : libc.setsockopt(fd, C.SOL_IP, C.IP_TRANSPARENT, 1);
}

/**
 * Makes a bound socket take connections to whatever address TPROXY leads to it; to be called before it listens. `host` is
 * what it is bound to. Throws a `HeddleError` where the system doesn't allow it.
 */
export function makeTransparent(fd: number, host: string): void {
  const libc = openLibc();
  if (libc instanceof HeddleError) throw libc;
  const result = setTransparent(libc, fd, isIpv6Address(host));
  if (result.ok) return;
  const why = result.error === 'EPERM' ? 'that takes root or the capability CAP_NET_ADMIN' : result.error;
  throw new HeddleError(
    'HEDDLE_TRANSPARENT_DENIED',
    `can't make the listener on ${host} transparent: ${why}`,
  );
}

/**
 * A socket, not connected yet, that will connect from `source`; or in a few words why there is none. The caller owns the
 * descriptor.
 */
export function openSourceSocket(source: ConnectionSource): number | string {
  const libc = openLibc();
  if (libc instanceof HeddleError) return libc.message;
  const host = unmapped(source.host);
  const v6 = isIpv6Address(host);
  const type = C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;
  const socket = libc.socket(v6 ? C.AF_INET6 : C.AF_INET, type, 0);
  if (!socket.ok) return `no socket (${socket.error})`;
  const fd = socket.value;
  const failure = prepare(libc, fd, v6, { ...source, host });
  if (failure === '') return fd;
  libc.close(fd);
  return failure;
}

/** Returns what failed; empty where nothing has. */
function prepare(
  libc: Libc,
  fd: number,
  v6: boolean,
  { host, mark, isTransparent }: ConnectionSource,
): string {
  if (mark !== 0) {
    const marked = libc.setsockopt(fd, C.SOL_SOCKET, C.SO_MARK, mark);
    if (!marked.ok) return `no mark for the connection (${marked.error})`;
  }
  if (isTransparent) {
    const transparent = setTransparent(libc, fd, v6);
    if (!transparent.ok) return `no connection from another's address (${transparent.error})`;
  }
  // The port is chosen when the destination is known, so that sources don't run out of ports; kernels before 4.2 can't.
  libc.setsockopt(fd, C.SOL_IP, C.IP_BIND_ADDRESS_NO_PORT, 1);
  const bound = libc.bind(fd, encodeSocketAddress({ host, port: 0 }));
  return bound.ok ? '' : `no connection from ${host} (${bound.error})`;
}
