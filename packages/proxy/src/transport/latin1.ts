// Hot path.
/** `toString('latin1')` without its argument checks; undeclared in Node's types, present in every version. */
export function latin1(buffer: Buffer, start: number, end: number): string {
  return (buffer as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(start, end);
}
