// `struct sockaddr_in` and `struct sockaddr_in6` as bytes, as the kernel of Linux lays them out.
import { SocketAddress } from 'node:net';
import { endianness } from 'node:os';
import { addressBytes, isIpv6Address, unmapped } from '../transport/ip-address.ts';
import type { TcpAddress } from '../transport/transport.ts';
import { SocketConstant } from './libc.ts';

const isLittleEndian = endianness() === 'LE';

/** Room for the larger of the two. */
export const socketAddressBytes = 28;

/** Reads an address; null where the bytes are of another family. */
export function decodeSocketAddress(bytes: Uint8Array): { host: string; port: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, isLittleEndian);
  const port = view.getUint16(2);
  if (family === SocketConstant.AF_INET) return { host: bytes.subarray(4, 8).join('.'), port };
  if (family !== SocketConstant.AF_INET6) return null;
  const groups: string[] = [];
  for (let at = 8; at < 24; at += 2) groups.push(view.getUint16(at).toString(16));
  // Node shortens the text as RFC 5952 wants it.
  const { address } = new SocketAddress({ family: 'ipv6', address: groups.join(':') });
  return { host: unmapped(address), port };
}

/** Writes an address; `host` is an IP address. An IPv4 address written as IPv6 (`::ffff:…`) is one of a socket of IPv6. */
export function encodeSocketAddress({ host, port }: TcpAddress): Uint8Array {
  const isV6 = isIpv6Address(host);
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV6 ? SocketConstant.AF_INET6 : SocketConstant.AF_INET, isLittleEndian);
  view.setUint16(2, port);
  const address = addressBytes(host);
  if (isV6 && address.length === 4) bytes.set([0xff, 0xff], 18);
  // Either way it ends where the address does, but for the scope behind IPv6's and the padding behind IPv4's.
  bytes.set(address, (isV6 ? 24 : 8) - address.length);
  return bytes;
}
