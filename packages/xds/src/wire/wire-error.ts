/** Input that is not a protobuf message; thrown by the reader and turned into a value by `decodeMessage`. */
export class WireError extends Error {
  override readonly name = 'WireError';
}
