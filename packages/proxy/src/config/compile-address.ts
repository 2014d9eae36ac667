import { isIP } from 'node:net';
import {
  type Address,
  SocketAddress_Protocol as Protocol,
} from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import type { ListenAddress } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';

const maxPort = 65_535;

/** An IP address and port; null with a problem noted. */
export function compileAddress(
  address: Address | undefined,
  path: string,
  problems: ProblemList,
): ListenAddress | null {
  const specifier = address?.address;
  if (specifier?.$case === 'pipe') {
    problems.unsupported(`${path}.pipe`);
    return null;
  }
  if (specifier === undefined) {
    problems.invalid(path, 'needs a socket_address');
    return null;
  }
  const socket = specifier.value;
  if (socket.protocol !== Protocol.TCP) problems.unsupported(`${path}.socket_address.protocol`);
  if (isIP(socket.address) === 0) {
    problems.invalid(`${path}.socket_address.address`, `"${socket.address}" is no IP address`);
  }
  const port = socket.portSpecifier?.value;
  if (port === undefined || port > maxPort) {
    problems.invalid(`${path}.socket_address.port_value`, `must be 0 to ${maxPort}`);
  }
  return { host: socket.address, port: port ?? 0 };
}
