// Hot path.
/** `toString('latin1')` without its argument checks; undeclared in Node's types, present in every version. */
export function latin1(buffer: Buffer, start: number, end: number): string {
  return (buffer as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(start, end);
}

/** `write(text, 0, length, 'latin1')` without its argument checks; as undeclared, and as present. */
export function writeLatin1(buffer: Buffer, text: string, length: number): void {
  (buffer as Buffer & { latin1Write(text: string, offset: number, length: number): number }).latin1Write(
    text,
    0,
    length,
  );
}
