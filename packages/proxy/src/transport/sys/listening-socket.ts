// Sockets that listen, opened by system calls as libuv opens its own.
import { getSystemErrorMessage } from 'node:util';
import type { HeddleError } from '@heddle/base';
import { makeTransparent } from '../../interception/transparent-socket.ts';
import { SocketConstant as C } from '../../interception/libc.ts';
import { isIpv6Address } from '../ip-address.ts';
import { listenError } from '../listen-error.ts';
import type { ListenPlan } from '../socket-source.ts';
import type { TcpAddress } from '../transport.ts';
import type { Kernel } from './kernel.ts';

const backlog = 1024;

/**
 * Opens a socket that listens where `address` says, as `plan` wants it; throws a `HeddleError` that names the address. The
 * caller owns the descriptor.
 */
export function openListeningSocket(
  kernel: Kernel,
  address: TcpAddress,
  plan: Pick<ListenPlan, 'sharesPort' | 'port'>,
  isTransparent: boolean,
): number {
  const opener = new Opener(kernel, address);
  if (!plan.sharesPort) return opener.open(address.port, false, isTransparent);
  let { port } = plan;
  if (port === null) {
    // The first thread to come chooses the port and makes sure that no other program has it: with SO_REUSEPORT both would get
    // connections.
    const probe = opener.open(address.port, false, false);
    port = kernel.localAddress(probe)?.port ?? address.port;
    kernel.close(probe);
  }
  return opener.open(port, true, isTransparent);
}

/**
 * Takes over a socket that listens. One that a process of one thread has opened lets no other listen on its port, unless it
 * is told so now.
 */
export function adoptListeningSocket(kernel: Kernel, descriptor: number, sharesPort: boolean): number {
  if (sharesPort) kernel.setOption(descriptor, C.SOL_SOCKET, C.SO_REUSEPORT, 1);
  return kernel.adoptListeningSocket(descriptor);
}

class Opener {
  private readonly kernel: Kernel;
  private readonly address: TcpAddress;

  constructor(kernel: Kernel, address: TcpAddress) {
    this.kernel = kernel;
    this.address = address;
  }

  open(port: number, sharesPort: boolean, isTransparent: boolean): number {
    const { kernel } = this;
    const { host } = this.address;
    const fd = this.check(kernel.openSocket(isIpv6Address(host)), 'socket');
    try {
      this.check(kernel.setOption(fd, C.SOL_SOCKET, C.SO_REUSEADDR, 1), 'setsockopt');
      // A wildcard takes connections of both families.
      if (isIpv6Address(host)) this.check(kernel.setOption(fd, C.SOL_IPV6, C.IPV6_V6ONLY, 0), 'setsockopt');
      if (sharesPort) this.check(kernel.setOption(fd, C.SOL_SOCKET, C.SO_REUSEPORT, 1), 'setsockopt');
      if (isTransparent) makeTransparent(fd, host);
      kernel.setNoDelay(fd);
      this.check(kernel.bind(fd, { host, port }), 'bind');
      this.check(kernel.listen(fd, backlog), 'listen');
      return fd;
    } catch (error) {
      kernel.close(fd);
      throw error;
    }
  }

  private check(result: number, call: string): number {
    if (result >= 0) return result;
    throw refusedCall(this.kernel, this.address, call);
  }
}

/** What `call`, the last one, has failed with on the way to listen on `address`. */
export function refusedCall(kernel: Kernel, address: TcpAddress, call: string): HeddleError {
  const code = kernel.errorName;
  const message = `${call} ${code}: ${getSystemErrorMessage(-kernel.errorNumber)}`;
  return listenError(address, Object.assign(new Error(message), { code }));
}
