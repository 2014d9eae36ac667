// Writes the PROXY protocol's header: who the client is, for the upstream.
import { isIP } from 'node:net';
import { addressBytes } from '../transport/ip-address.ts';
import type { TcpAddress } from '../transport/transport.ts';
import { type ProxyProtocolVersion, proxySignature } from './proxy-protocol.ts';

/**
 * The header for a connection from `source` to `destination`. Null, or addresses that are not of one family, give the one
 * that names none: UNKNOWN in version 1, LOCAL in version 2.
 */
export function proxyHeader(
  version: ProxyProtocolVersion,
  source: TcpAddress | null,
  destination: TcpAddress | null,
): Buffer {
  if (source === null || destination === null) return unknownHeader(version);
  const [from, to] = [bytesOf(source), bytesOf(destination)];
  if (from === null || from.length !== to?.length) return unknownHeader(version);
  const isIPv4 = from.length === 4;
  if (version === 1) {
    const hosts = isIPv4 ? `${from.join('.')} ${to.join('.')}` : `${source.host} ${destination.host}`;
    return Buffer.from(
      `PROXY TCP${isIPv4 ? 4 : 6} ${hosts} ${source.port} ${destination.port}\r\n`,
      'latin1',
    );
  }
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return binary(0x21, isIPv4 ? 0x11 : 0x21, Buffer.concat([from, to, ports]));
}

/** Null where it has none: Unix sockets. */
function bytesOf(address: TcpAddress): Uint8Array | null {
  return isIP(address.host) === 0 ? null : addressBytes(address.host);
}

function unknownHeader(version: ProxyProtocolVersion): Buffer {
  return version === 1 ? Buffer.from('PROXY UNKNOWN\r\n', 'latin1') : binary(0x20, 0, Buffer.alloc(0));
}

function binary(command: number, family: number, body: Buffer): Buffer {
  const head = Buffer.from([command, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([proxySignature, head, body]);
}
