import { isIPv4, isIPv6 } from 'node:net';

const mappedPrefixBytes = 12;

/**
 * The bytes of an IP address: 4 or 16, in the order of the network. An IPv4 address written as IPv6 (`::ffff:…`) is IPv4:
 * that is how dual-stack sockets show it. Throws for anything else.
 */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text)) throw new RangeError(`${text} is no IP address`);
  const bytes = ipv6Bytes(text);
  const isMapped = bytes.every((byte, index) =>
    index < 10 ? byte === 0 : index < mappedPrefixBytes ? byte === 0xff : true,
  );
  return isMapped ? bytes.subarray(mappedPrefixBytes) : bytes;
}

function ipv6Bytes(text: string): Uint8Array {
  const zone = text.indexOf('%');
  const [head = '', tail] = (zone < 0 ? text : text.slice(0, zone)).split('::');
  const front = groupBytes(head);
  const back = tail === undefined ? [] : groupBytes(tail);
  const bytes = new Uint8Array(16);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return bytes;
}

/** The bytes of groups between colons; the last may be an IPv4 address. */
function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/**
 * Whether an IP address is one of IPv6. Node's `isIPv6` asks whether a text is one at all, by an expression that V8 compiles to
 * 150 KiB of machine code.
 */
export function isIpv6Address(address: string): boolean {
  return address.includes(':');
}

/** `::ffff:10.0.0.1`, what a dual-stack socket makes of an IPv4 peer, as `10.0.0.1`; others as they are. */
export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/** Whether the first `bits` bits of `address` are those of `prefix`; addresses of different families never match. */
export function isWithin(address: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  if (address.length !== prefix.length) return false;
  const whole = bits >> 3;
  for (let index = 0; index < whole; index++) if (address[index] !== prefix[index]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = 0xff << (8 - rest);
  return (address[whole]! & mask) === (prefix[whole]! & mask);
}

/** 127.0.0.0/8 or ::1. */
export function isLoopbackAddress(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, index) => byte === (index === 15 ? 1 : 0));
}
