/** Malformed DER. Never leaves this package: whoever reads a certificate turns it into a problem. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element of DER. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * Walks the elements of one level. Strict: definite lengths in the fewest bytes, tags of one byte, nothing cut off.
 * OpenSSL has parsed a certificate before this looks at it; two parsers that disagree are how identities get forged.
 */
export class DerReader {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** True when nothing is left on this level. */
  get isAtEnd(): boolean {
    return this.position === this.bytes.length;
  }

  /** The next element, whatever it is. */
  next(): DerElement {
    const tag = this.byte();
    if ((tag & 0x1f) === 0x1f) throw new DerError('tag of several bytes');
    const length = this.length();
    const end = this.position + length;
    if (end > this.bytes.length) throw new DerError('element longer than what holds it');
    const content = this.bytes.subarray(this.position, end);
    this.position = end;
    return { tag, content };
  }

  /** The next element, which must have this tag. */
  expect(tag: number): DerElement {
    const element = this.next();
    if (element.tag !== tag) throw new DerError(`tag ${element.tag} where ${tag} was expected`);
    return element;
  }

  /** The next element if it has this tag; otherwise nothing is consumed. */
  optional(tag: number): DerElement | null {
    return this.bytes[this.position] === tag ? this.next() : null;
  }

  /** A reader of the elements within the next one, which must have this tag. */
  enter(tag: number): DerReader {
    return new DerReader(this.expect(tag).content);
  }

  /** Fails where something is left on this level. */
  end(): void {
    if (!this.isAtEnd) throw new DerError('more elements than expected');
  }

  private byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) throw new DerError('cut off');
    this.position++;
    return value;
  }

  private length(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new DerError('indefinite or excessive length');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('length in more bytes than needed');
    return length;
  }
}

/** Reads an OBJECT IDENTIFIER's content into its dotted form. */
export function readObjectIdentifier(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError('object identifier with a huge arc');
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    } else if (index === content.length - 1) throw new DerError('object identifier cut off');
  }
  const first = arcs.shift();
  if (first === undefined) throw new DerError('empty object identifier');
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...arcs].join('.');
}
