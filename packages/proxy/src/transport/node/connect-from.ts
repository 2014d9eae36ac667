import { Socket, type SocketConstructorOpts, connect } from 'node:net';
import { openSourceSocket } from '../../interception/transparent-socket.ts';
import { isUnixAddress } from '../address.ts';
import type { ConnectionSource, TransportAddress } from '../transport.ts';

/** Starts to connect from a given address; where that can't even begin, says in a few words why. */
export function connectFrom(
  source: ConnectionSource,
  destination: TransportAddress,
  options: SocketConstructorOpts & { readonly noDelay?: boolean },
): Socket | string {
  if (isUnixAddress(destination)) return connect({ path: destination.path, ...options });
  const { host, port } = destination;
  // An address of our own is bound without the system's help.
  if (!source.isTransparent && source.mark === 0)
    return connect({ host, port, localAddress: source.host, ...options });
  const fd = openSourceSocket(source);
  if (typeof fd === 'string') return fd;
  // `manualStart`, which the type lacks: there is nothing to read before it is connected.
  const waiting: SocketConstructorOpts & { readonly manualStart: true } = {
    ...options,
    fd,
    manualStart: true,
  };
  return new Socket(waiting).connect({ host, port });
}
