// The body of a ClientHello: every length is checked against what is there, anything odd makes it none.

/** What a ClientHello asks for. */
export interface ClientHello {
  /** Lower-case; empty where the client named none. */
  readonly serverName: string;
  /** In the client's order. */
  readonly applicationProtocols: readonly string[];
}

const randomBytes = 32;
const maxSessionIdBytes = 32;
const serverNameExtension = 0;
const protocolsExtension = 16;
const hostNameType = 0;
const maxHostNameBytes = 255;

/** Walks through bytes; a step beyond the end makes everything invalid. */
class Reader {
  readonly end: number;
  at: number;
  isValid = true;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  uint8(): number {
    return this.skip(1) ? this.bytes[this.at - 1]! : 0;
  }

  uint16(): number {
    return this.skip(2) ? this.bytes.readUInt16BE(this.at - 2) : 0;
  }

  skip(length: number): boolean {
    if (length > this.end - this.at) {
      this.isValid = false;
      this.at = this.end;
      return false;
    }
    this.at += length;
    return true;
  }

  /** The next `length` bytes, to be read on their own. */
  part(length: number): Reader {
    const start = this.at;
    const part = new Reader(this.bytes, start, this.skip(length) ? start + length : start);
    part.isValid = this.isValid;
    return part;
  }

  text(length: number): string {
    const start = this.at;
    return this.skip(length) ? this.bytes.toString('latin1', start, start + length) : '';
  }
}

/** Reads `bytes[start, end)`, the handshake message without its header; null where it is malformed. */
export function readClientHello(bytes: Buffer, start: number, end: number): ClientHello | null {
  const reader = new Reader(bytes, start, end);
  reader.skip(2 + randomBytes);
  const sessionIdBytes = reader.uint8();
  if (sessionIdBytes > maxSessionIdBytes) return null;
  reader.skip(sessionIdBytes);
  const suiteBytes = reader.uint16();
  if (suiteBytes < 2 || suiteBytes % 2 !== 0) return null;
  reader.skip(suiteBytes);
  const compressionBytes = reader.uint8();
  if (compressionBytes < 1) return null;
  reader.skip(compressionBytes);
  if (!reader.isValid) return null;
  if (reader.isAtEnd) return { serverName: '', applicationProtocols: [] };
  const extensions = reader.part(reader.uint16());
  if (!reader.isAtEnd || !extensions.isValid) return null;
  return readExtensions(extensions);
}

function readExtensions(extensions: Reader): ClientHello | null {
  let serverName = '';
  let applicationProtocols: readonly string[] = [];
  const seen = new Set<number>();
  while (!extensions.isAtEnd) {
    const type = extensions.uint16();
    const body = extensions.part(extensions.uint16());
    // The same extension twice is forbidden (RFC 8446 §4.2), and two readers might take different ones.
    if (!extensions.isValid || seen.has(type)) return null;
    seen.add(type);
    if (type === serverNameExtension) {
      const name = readServerName(body);
      if (name === null) return null;
      serverName = name;
    } else if (type === protocolsExtension) {
      const protocols = readProtocols(body);
      if (protocols === null) return null;
      applicationProtocols = protocols;
    }
  }
  return { serverName, applicationProtocols };
}

/** RFC 6066 §3: a list of names, of which there is one kind. */
function readServerName(body: Reader): string | null {
  const list = body.part(body.uint16());
  const type = list.uint8();
  const length = list.uint16();
  const name = list.text(length);
  if (!body.isAtEnd || !list.isValid || !list.isAtEnd || type !== hostNameType) return null;
  if (length < 1 || length > maxHostNameBytes || !isHostName(name)) return null;
  return name.toLowerCase();
}

/** Visible ASCII: what a name in a certificate or a configuration can be compared with. */
function isHostName(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}

/** RFC 7301 §3.1. */
function readProtocols(body: Reader): readonly string[] | null {
  const list = body.part(body.uint16());
  const protocols: string[] = [];
  while (!list.isAtEnd) {
    const length = list.uint8();
    protocols.push(list.text(length));
    if (length === 0 || !list.isValid) return null;
  }
  return body.isAtEnd && list.isValid && protocols.length > 0 ? protocols : null;
}
