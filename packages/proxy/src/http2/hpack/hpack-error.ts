/** What `HpackDecoder.decode` answers. */
export const HpackError = {
  none: 0,
  /** The list is longer than we take. The block was decoded to its end and the table is right: only the message is refused. */
  listTooLarge: 1,
  /** The list has more fields than we take; as above. */
  tooManyFields: 2,
  /** From here on: COMPRESSION_ERROR (RFC 9113 §4.3). The table is not the peer's any more, and the connection has to end. */
  truncated: 3,
  badInteger: 4,
  badIndex: 5,
  badHuffmanCode: 6,
  /** A change of the table's size behind a field. */
  lateSizeUpdate: 7,
  /** A table larger than we announced. */
  tableTooLarge: 8,
  /** The peer was told to make its table smaller and hasn't (RFC 7541 §4.2). */
  missingSizeUpdate: 9,
} as const;

/** True where the connection can't go on. */
export function isCompressionError(error: number): boolean {
  return error >= HpackError.truncated;
}
