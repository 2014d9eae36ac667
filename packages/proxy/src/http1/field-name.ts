// Hot path.
/** Field names that the proxy looks at, each with a small number, so that a head is examined without making strings. */
export const FieldId = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  te: 7,
  upgrade: 8,
  expect: 9,
  trailer: 10,
  proxyAuthorization: 11,
  proxyAuthenticate: 12,
  http2Settings: 13,
  requestId: 14,
  forwardedFor: 15,
  forwardedProto: 16,
  forwardedClientCert: 17,
  server: 18,
  date: 19,
  upstreamServiceTime: 20,
  expectedRequestTimeout: 21,
  envoyInternal: 22,
} as const;

const names: readonly (readonly [string, number])[] = [
  ['host', FieldId.host],
  ['content-length', FieldId.contentLength],
  ['transfer-encoding', FieldId.transferEncoding],
  ['connection', FieldId.connection],
  ['keep-alive', FieldId.keepAlive],
  ['proxy-connection', FieldId.proxyConnection],
  ['te', FieldId.te],
  ['upgrade', FieldId.upgrade],
  ['expect', FieldId.expect],
  ['trailer', FieldId.trailer],
  ['proxy-authorization', FieldId.proxyAuthorization],
  ['proxy-authenticate', FieldId.proxyAuthenticate],
  ['http2-settings', FieldId.http2Settings],
  ['x-request-id', FieldId.requestId],
  ['x-forwarded-for', FieldId.forwardedFor],
  ['x-forwarded-proto', FieldId.forwardedProto],
  ['x-forwarded-client-cert', FieldId.forwardedClientCert],
  ['server', FieldId.server],
  ['date', FieldId.date],
  ['x-envoy-upstream-service-time', FieldId.upstreamServiceTime],
  ['x-envoy-expected-rq-timeout-ms', FieldId.expectedRequestTimeout],
];

/** Candidates by length: at most three names share one. */
const byLength: (readonly { readonly bytes: Uint8Array; readonly id: number }[])[] = [];
for (const [name, id] of names) {
  byLength[name.length] = [...(byLength[name.length] ?? []), { bytes: Buffer.from(name), id }];
}
const none: readonly { readonly bytes: Uint8Array; readonly id: number }[] = [];
const longest = Math.max(...names.map(([name]) => name.length));
const candidatesByLength = Array.from({ length: longest + 1 }, (_, length) => byLength[length] ?? none);
const internalPrefix = Buffer.from('x-envoy-');

/** The number of the name `buffer[start, end)`, whatever its case; `FieldId.other` for names the proxy only forwards. */
export function fieldIdOf(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length <= longest) {
    const candidates = candidatesByLength[length]!;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (equalsIgnoringCase(buffer, start, candidate.bytes)) return candidate.id;
    }
  }
  if (
    length > internalPrefix.length &&
    (buffer[start]! | 0x20) === 0x78 &&
    (buffer[start + 2]! | 0x20) === 0x65
  ) {
    if (equalsIgnoringCase(buffer, start, internalPrefix)) return FieldId.envoyInternal;
  }
  return FieldId.other;
}

/** Compares with lower-case `expected`; only letters and `-`, digits, which `| 0x20` leaves apart from each other. */
function equalsIgnoringCase(buffer: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) {
    const byte = buffer[start + i]!;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== expected[i]) return false;
  }
  return true;
}
