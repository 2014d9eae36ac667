// The PROXY protocol's header, versions 1 and 2 (HAProxy's "The PROXY protocol", 2020/03/05): who a client is, said by the
// proxy in front of us. A pure function of the bytes so far; whatever two readers might take differently is refused.
import { SocketAddress, isIPv4, isIPv6 } from 'node:net';
import type { TcpAddress } from '../transport/transport.ts';

export type ProxyProtocolVersion = 1 | 2;

/** What the bytes so far are. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  /** Something else than a header. */
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly version: ProxyProtocolVersion; readonly detail: string }
  | {
      readonly kind: 'header';
      readonly version: ProxyProtocolVersion;
      /** Bytes of the header; the client's own follow. */
      readonly length: number;
      /** Null where the header names no addresses: LOCAL, UNKNOWN, UNSPEC, Unix sockets. */
      readonly addresses: { readonly source: TcpAddress; readonly destination: TcpAddress } | null;
    };

/** The longest header of version 1: "PROXY UNKNOWN" with two longest addresses, and its CRLF. */
const maxLineBytes = 107;
const maxPort = 65_535;
const lineStart = Buffer.from('PROXY ', 'latin1');
export const proxySignature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;
/** Addresses and TLVs: no more is kept of any connection that is looked at. */
const maxBodyBytes = 16_384;

const incomplete: ProxyHeader = Object.freeze({ kind: 'incomplete' });
const none: ProxyHeader = Object.freeze({ kind: 'none' });

/** Reads a header from the first `length` bytes. */
export function readProxyHeader(bytes: Buffer, length: number): ProxyHeader {
  if (startsLike(bytes, length, proxySignature)) {
    return length < proxySignature.length ? incomplete : readBinary(bytes, length);
  }
  if (!startsLike(bytes, length, lineStart)) return none;
  return length < lineStart.length ? incomplete : readLine(bytes, length);
}

function startsLike(bytes: Buffer, length: number, start: Buffer): boolean {
  const compared = Math.min(length, start.length);
  return bytes.compare(start, 0, compared, 0, compared) === 0;
}

function readLine(bytes: Buffer, length: number): ProxyHeader {
  const lineFeed = bytes.subarray(0, Math.min(length, maxLineBytes)).indexOf(0x0a);
  if (lineFeed < 0) {
    return length < maxLineBytes ? incomplete : invalidLine(`no end within ${maxLineBytes} bytes`);
  }
  if (bytes[lineFeed - 1] !== 0x0d) return invalidLine('the line does not end in CRLF');
  const line = bytes.toString('latin1', lineStart.length, lineFeed - 1);
  const header = { kind: 'header', version: 1, length: lineFeed + 1 } as const;
  // What follows UNKNOWN is to be ignored.
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { ...header, addresses: null };
  const [family, source, destination, sourcePort, destinationPort, ...rest] = line.split(' ');
  if (rest.length > 0) return invalidLine('more than four fields behind the family');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : null;
  if (isAddress === null) return invalidLine('the family is none of TCP4, TCP6, UNKNOWN');
  if (source === undefined || !isAddress(source))
    return invalidLine('the source is no address of its family');
  if (destination === undefined || !isAddress(destination))
    return invalidLine('the destination is no address of its family');
  const ports = [portOf(sourcePort), portOf(destinationPort)] as const;
  if (ports[0] < 0 || ports[1] < 0) return invalidLine('a port is no number from 0 to 65535');
  const addresses = {
    source: { host: source, port: ports[0] },
    destination: { host: destination, port: ports[1] },
  };
  return { ...header, addresses };
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** Decimal digits without leading zeros; -1 for anything else. */
function portOf(text: string | undefined): number {
  if (text === undefined || !/^(?:0|[1-9]\d{0,4})$/.test(text)) return -1;
  const port = Number(text);
  return port > maxPort ? -1 : port;
}

function invalidLine(detail: string): ProxyHeader {
  return { kind: 'invalid', version: 1, detail };
}

const Command = { local: 0x20, proxy: 0x21 } as const;
const Family = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21, unixStream: 0x31 } as const;
const [tcp4Bytes, tcp6Bytes, unixBytes] = [12, 36, 216] as const;

function readBinary(bytes: Buffer, length: number): ProxyHeader {
  if (length < fixedBytes) return incomplete;
  const command = bytes[12]!;
  if (command !== Command.local && command !== Command.proxy) {
    return invalidBinary('version and command are neither 0x20 nor 0x21');
  }
  const bodyBytes = bytes.readUInt16BE(14);
  if (bodyBytes > maxBodyBytes) return invalidBinary(`${bodyBytes} bytes are more than ${maxBodyBytes}`);
  const end = fixedBytes + bodyBytes;
  if (length < end) return incomplete;
  const header = { kind: 'header', version: 2, length: end } as const;
  // Of a LOCAL connection everything else is to be ignored.
  if (command === Command.local) return { ...header, addresses: null };
  const family = bytes[13]!;
  switch (family) {
    case Family.unspecified:
      return { ...header, addresses: null };
    case Family.unixStream:
      return checked(bytes, unixBytes, end, { ...header, addresses: null });
    case Family.tcp4:
    case Family.tcp6: {
      const addressBytes = family === Family.tcp4 ? 4 : 16;
      const read = family === Family.tcp4 ? ipv4At : ipv6At;
      const size = family === Family.tcp4 ? tcp4Bytes : tcp6Bytes;
      if (bodyBytes < size) return invalidBinary('it is too short for its addresses');
      const [source, destination] = [fixedBytes, fixedBytes + addressBytes];
      const ports = fixedBytes + 2 * addressBytes;
      const addresses = {
        source: { host: read(bytes, source), port: bytes.readUInt16BE(ports) },
        destination: { host: read(bytes, destination), port: bytes.readUInt16BE(ports + 2) },
      };
      return checked(bytes, size, end, { ...header, addresses });
    }
    default:
      return invalidBinary('the family is none of unspecified, TCP over IPv4, TCP over IPv6, Unix stream');
  }
}

/** `header`, where its addresses fit and what follows them is a list of TLVs that ends with it. */
function checked(bytes: Buffer, addressBytes: number, end: number, header: ProxyHeader): ProxyHeader {
  let at = fixedBytes + addressBytes;
  if (at > end) return invalidBinary('it is too short for its addresses');
  while (at < end) {
    const next = at + 3 > end ? end + 1 : at + 3 + bytes.readUInt16BE(at + 1);
    if (next > end) return invalidBinary('a TLV reaches beyond its end');
    at = next;
  }
  return header;
}

function invalidBinary(detail: string): ProxyHeader {
  return { kind: 'invalid', version: 2, detail };
}

function ipv4At(bytes: Buffer, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function ipv6At(bytes: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index).toString(16));
  // Node shortens the text as RFC 5952 wants it.
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}
