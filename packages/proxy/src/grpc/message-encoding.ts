// Hot path: once per answer of the proxy's own to a gRPC call.

// What `grpc-message` may not hold as it is: all but printable ASCII, the percent sign and, with Envoy, the tilde.
const needsEncoding = /[^ -$&-}]/;

/** A text as the value of `grpc-message`: UTF-8, percent-encoded (gRPC over HTTP/2, "Status-Message"). */
export function encodeGrpcMessage(text: string): string {
  return needsEncoding.test(text) ? encodeGrpcMessageBytes(Buffer.from(text)) : text;
}

/** The same for bytes that are text in whatever encoding. */
export function encodeGrpcMessageBytes(bytes: Uint8Array): string {
  let encoded = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const character = String.fromCharCode(byte);
    encoded += needsEncoding.test(character)
      ? `%${byte < 0x10 ? '0' : ''}${byte.toString(16).toUpperCase()}`
      : character;
  }
  return encoded;
}
