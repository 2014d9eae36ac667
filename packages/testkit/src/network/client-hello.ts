/** What a simulated ClientHello offers. */
export interface ClientHelloOptions {
  /** Empty for none. */
  readonly serverName: string;
  readonly alpn: readonly string[];
}

function sized(lengthBytes: 1 | 2 | 3, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), sized(2, content)]);
}

/**
 * A ClientHello of TLS 1.3 in one record (RFC 8446 §4.1.2) with server name and protocols: what a TLS inspector reads, without
 * the keys that a handshake would need.
 */
export function clientHello({ serverName, alpn }: ClientHelloOptions): Buffer {
  const extensions: Buffer[] = [];
  if (serverName !== '') {
    extensions.push(extension(0, sized(2, Buffer.from([0]), sized(2, Buffer.from(serverName)))));
  }
  if (alpn.length > 0) {
    const names = alpn.map((name) => sized(1, Buffer.from(name)));
    extensions.push(extension(16, sized(2, ...names)));
  }
  extensions.push(extension(43, sized(1, Buffer.from([3, 4]))));
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 0x68),
    sized(1, Buffer.alloc(32, 0x64)),
    sized(2, Buffer.from([0x13, 0x01])),
    sized(1, Buffer.from([0])),
    sized(2, ...extensions),
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), sized(3, body)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(2, handshake)]);
}
