// `struct sockaddr_in` and `struct sockaddr_in6` as bytes, as the kernel of Linux lays them out.
import { SocketAddress, isIPv6 } from 'node:net';
import { endianness } from 'node:os';
import type { TransportAddress } from '../transport/transport.ts';
import { SocketConstant } from './libc.ts';

const isLittleEndian = endianness() === 'LE';

/** Room for the larger of the two. */
export const socketAddressBytes = 28;

/** `::ffff:10.0.0.1`, what an IPv6 socket makes of an IPv4 peer, as `10.0.0.1`; others as they are. */
export function unmapped(host: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return mapped === null ? host : mapped[1]!;
}

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

/** Writes an address; `host` is an IP address. */
export function encodeSocketAddress({ host, port }: Extract<TransportAddress, { host: string }>): Uint8Array {
  const isV6 = isIPv6(host);
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV6 ? SocketConstant.AF_INET6 : SocketConstant.AF_INET, isLittleEndian);
  view.setUint16(2, port);
  bytes.set(isV6 ? ipv6Bytes(host) : host.split('.').map(Number), isV6 ? 8 : 4);
  return bytes;
}

/** The 16 bytes of an IPv6 address that `isIPv6` accepts, without a zone. */
function ipv6Bytes(host: string): readonly number[] {
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (group.includes('.')) return group.split('.').map(Number);
          const value = Number.parseInt(group, 16);
          return [value >> 8, value & 0xff];
        });
  const [head = '', tail] = host.split('%')[0]!.split('::');
  const before = groups(head);
  if (tail === undefined) return before;
  const after = groups(tail);
  return [...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after];
}
