// Reads from raw bytes what version of TLS a server has selected (RFC 8446 §4.1.3, §4.2.1).

const recordHandshake = 22;
const messageServerHello = 2;
const extensionSupportedVersions = 43;

export interface ServerHello {
  /** The field that says 0x0303 in TLS 1.3 too. */
  readonly legacyVersion: number;
  /** Of the extension supported_versions; null where the server sent none, as in TLS 1.2. */
  readonly selectedVersion: number | null;
}

/** Parses the first record a server sent; throws where that is no ServerHello. */
export function readServerHello(bytes: Buffer): ServerHello {
  if (bytes[0] !== recordHandshake) throw new Error(`record type ${bytes[0]} is no handshake`);
  const record = bytes.subarray(5, 5 + bytes.readUInt16BE(3));
  if (record[0] !== messageServerHello) throw new Error(`handshake message ${record[0]} is no ServerHello`);
  const legacyVersion = record.readUInt16BE(4);
  // Behind the version: 32 bytes of random, the echoed session id, cipher suite, compression method.
  const sessionEnd = 39 + record[38]!;
  let position = sessionEnd + 3;
  const end = position + 2 + record.readUInt16BE(position);
  position += 2;
  let selectedVersion: number | null = null;
  while (position < end) {
    const type = record.readUInt16BE(position);
    const length = record.readUInt16BE(position + 2);
    if (type === extensionSupportedVersions) selectedVersion = record.readUInt16BE(position + 4);
    position += 4 + length;
  }
  return { legacyVersion, selectedVersion };
}
