// As much of a DeltaDiscoveryResponse as a simulated proxy looks at: what it is about, and not what is in it.

export interface SeenResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
}

/** The last responses by their length and end, which holds the nonce: most are the same for many proxies. */
const recent = new Map<string, { readonly bytes: Buffer; readonly seen: SeenResponse }>();
const maxRecent = 200;
const endBytes = 24;

/** Reads an encoded `envoy.service.discovery.v3.DeltaDiscoveryResponse`. */
export function readResponse(bytes: Buffer): SeenResponse {
  const key = bytes.length + bytes.toString('latin1', Math.max(0, bytes.length - endBytes));
  const known = recent.get(key);
  if (known !== undefined && known.bytes.equals(bytes)) return known.seen;
  const seen = read(bytes);
  recent.delete(key);
  recent.set(key, { bytes, seen });
  for (const oldest of recent.keys()) {
    if (recent.size <= maxRecent) break;
    recent.delete(oldest);
  }
  return seen;
}

function read(bytes: Buffer): SeenResponse {
  const names: string[] = [];
  const removed: string[] = [];
  let typeUrl = '';
  let nonce = '';
  const scan = new FieldScan(bytes, 0, bytes.length);
  while (scan.next()) {
    if (scan.field === 2) names.push(nameOf(bytes, scan.start, scan.end));
    else if (scan.field === 4) typeUrl = bytes.toString('latin1', scan.start, scan.end);
    else if (scan.field === 5) nonce = bytes.toString('latin1', scan.start, scan.end);
    else if (scan.field === 6) removed.push(bytes.toString('latin1', scan.start, scan.end));
  }
  return { typeUrl, nonce, names, removed };
}

/** The name (field 3) of an encoded `Resource`. */
function nameOf(bytes: Buffer, start: number, end: number): string {
  const scan = new FieldScan(bytes, start, end);
  while (scan.next()) if (scan.field === 3) return bytes.toString('latin1', scan.start, scan.end);
  return '';
}

/** Walks over the fields of a message, all of them strings, bytes or messages. */
class FieldScan {
  field = 0;
  start = 0;
  end: number;
  private readonly bytes: Buffer;
  private readonly limit: number;

  constructor(bytes: Buffer, start: number, limit: number) {
    this.bytes = bytes;
    this.end = start;
    this.limit = limit;
  }

  next(): boolean {
    if (this.end >= this.limit) return false;
    const tag = this.varint();
    if ((tag & 7) !== 2) throw new Error(`field ${tag >>> 3} of a response is of wire type ${tag & 7}`);
    this.field = tag >>> 3;
    const length = this.varint();
    this.start = this.end;
    this.end += length;
    return true;
  }

  /** Leaves `end` behind it. */
  private varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.end++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}
