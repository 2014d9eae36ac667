import { isIP } from 'node:net';
import {
  type Address,
  SocketAddress_Protocol as Protocol,
} from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { isWritableName } from '../dns/write-message.ts';
import type { ListenAddress } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';

const maxPort = 65_535;

/**
 * Where an endpoint is: an IP address and port, a Unix socket's path with port 0, or, where `takesNames`, a host name;
 * null with a problem noted.
 */
export function compileEndpointAddress(
  address: Address | undefined,
  path: string,
  problems: ProblemList,
  takesNames: boolean,
): ListenAddress | null {
  const specifier = address?.address;
  if (specifier?.$case === 'pipe') {
    const name = specifier.value.path.replace(/^@/, '\0');
    if (!takesNames && /^[/\0]./.test(name)) return { host: name, port: 0 };
    problems.invalid(`${path}.pipe.path`, takesNames ? 'does not go with DNS' : 'must begin with / or @');
    return null;
  }
  if (!takesNames || specifier === undefined) return compileAddress(address, path, problems);
  const socket = specifier.value;
  if (socket.protocol !== Protocol.TCP) problems.unsupported(`${path}.socket_address.protocol`);
  if (!isWritableName(socket.address.replace(/\.$/, '')) || socket.address === '')
    problems.invalid(`${path}.socket_address.address`, `"${socket.address}" is no host name`);
  return { host: socket.address, port: compilePort(socket.portSpecifier?.value, path, problems) };
}

/** Where a listener binds: an IP address and port, or a Unix socket; null with a problem noted. */
export function compileListenAddress(
  address: Address | undefined,
  path: string,
  problems: ProblemList,
): ListenAddress | null {
  if (address?.address?.$case !== 'pipe') return compileAddress(address, path, problems);
  const { path: name, mode } = address.address.value;
  if (!/^[/@]./.test(name)) {
    problems.invalid(`${path}.pipe.path`, 'must begin with / or @');
    return null;
  }
  if (mode > 0o777) problems.invalid(`${path}.pipe.mode`, 'must be at most 0777');
  return { host: name.replace(/^@/, '\0'), port: 0, ...(mode === 0 ? {} : { mode }) };
}

/** An IP address and port for TCP; null with a problem noted. */
export function compileAddress(
  address: Address | undefined,
  path: string,
  problems: ProblemList,
): ListenAddress | null {
  return compileSocketAddress(address, path, Protocol.TCP, problems);
}

/** An IP address and port for this protocol, null for either; null with a problem noted. */
export function compileSocketAddress(
  address: Address | undefined,
  path: string,
  protocol: Protocol | null,
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
  if (protocol !== null && socket.protocol !== protocol)
    problems.unsupported(`${path}.socket_address.protocol`);
  if (isIP(socket.address) === 0) {
    problems.invalid(`${path}.socket_address.address`, `"${socket.address}" is no IP address`);
  }
  return { host: socket.address, port: compilePort(socket.portSpecifier?.value, path, problems) };
}

function compilePort(port: number | undefined, path: string, problems: ProblemList): number {
  if (port === undefined || port > maxPort) {
    problems.invalid(`${path}.socket_address.port_value`, `must be 0 to ${maxPort}`);
  }
  return port ?? 0;
}
