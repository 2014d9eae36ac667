/** What messages of this length hold: the same in all clients. */
export function payload(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + size) & 0xff;
  return bytes;
}

export function isPayload(bytes: Buffer): boolean {
  return bytes.equals(payload(bytes.length));
}
