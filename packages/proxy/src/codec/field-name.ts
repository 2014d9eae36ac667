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
  /** `x-envoy-internal`: only this proxy says it. */
  envoyInternal: 22,
  /**
   * Left out whatever the configuration: a trusted name with `_` for `-` (CGI and WSGI make the same variable of both, so
   * that a forged one would pass for the real one), and what `headers_with_underscores_action` drops.
   */
  neverForwarded: 23,
  upstreamRequestTimeout: 24,
  /** Instructions to a router, which it obeys and doesn't pass on. */
  routerInstruction: 25,
  /** `x-envoy-…` that is believed of internal clients only. */
  internalOnly: 26,
  /** `x-envoy-…` that nobody from outside the mesh may say. */
  edgeOnly: 27,
  externalAddress: 28,
  forwardedPort: 29,
  forwardedHost: 30,
  via: 31,
  /** Pseudo-headers of HTTP/2 (RFC 9113 §8.3, RFC 8441). */
  method: 32,
  scheme: 33,
  authority: 34,
  path: 35,
  protocol: 36,
  status: 37,
  cookie: 38,
  setCookie: 39,
  authorization: 40,
  contentType: 41,
  grpcTimeout: 42,
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
  ['x-envoy-internal', FieldId.envoyInternal],
  ['x-envoy-upstream-rq-timeout-ms', FieldId.upstreamRequestTimeout],
  ['x-envoy-retry-on', FieldId.routerInstruction],
  ['x-envoy-retry-grpc-on', FieldId.routerInstruction],
  ['x-envoy-max-retries', FieldId.routerInstruction],
  ['x-envoy-retriable-status-codes', FieldId.routerInstruction],
  ['x-envoy-retriable-header-names', FieldId.routerInstruction],
  ['x-envoy-upstream-alt-stat-name', FieldId.routerInstruction],
  ['x-envoy-upstream-rq-per-try-timeout-ms', FieldId.routerInstruction],
  ['x-envoy-upstream-rq-timeout-alt-response', FieldId.routerInstruction],
  ['x-envoy-hedge-on-per-try-timeout', FieldId.routerInstruction],
  ['x-envoy-force-trace', FieldId.internalOnly],
  ['x-envoy-ip-tags', FieldId.internalOnly],
  ['x-envoy-original-url', FieldId.internalOnly],
  ['x-envoy-decorator-operation', FieldId.edgeOnly],
  ['x-envoy-downstream-service-cluster', FieldId.edgeOnly],
  ['x-envoy-downstream-service-node', FieldId.edgeOnly],
  ['x-envoy-original-path', FieldId.edgeOnly],
  ['x-envoy-original-host', FieldId.edgeOnly],
  ['x-envoy-external-address', FieldId.externalAddress],
  ['x-forwarded-port', FieldId.forwardedPort],
  ['x-forwarded-host', FieldId.forwardedHost],
  ['via', FieldId.via],
  [':method', FieldId.method],
  [':scheme', FieldId.scheme],
  [':authority', FieldId.authority],
  [':path', FieldId.path],
  [':protocol', FieldId.protocol],
  [':status', FieldId.status],
  ['cookie', FieldId.cookie],
  ['set-cookie', FieldId.setCookie],
  ['authorization', FieldId.authorization],
  ['content-type', FieldId.contentType],
  ['grpc-timeout', FieldId.grpcTimeout],
];

/** The names that have this number. */
export function fieldNames(id: number): readonly string[] {
  return names.filter((entry) => entry[1] === id).map((entry) => entry[0]);
}

/** Candidates by length: few names share one. */
const byLength: (readonly { readonly bytes: Uint8Array; readonly id: number }[])[] = [];
for (const [name, id] of names) {
  byLength[name.length] = [...(byLength[name.length] ?? []), { bytes: Buffer.from(name), id }];
}
const none: readonly { readonly bytes: Uint8Array; readonly id: number }[] = [];
const longest = Math.max(...names.map(([name]) => name.length));
const candidatesByLength = Array.from({ length: longest + 1 }, (_, length) => byLength[length] ?? none);
/** By length and the last five bits of the first byte, which capitals share: whether there is a candidate at all. */
const mayBeKnown = new Uint8Array((longest + 1) * 32);
for (const [name] of names) mayBeKnown[name.length * 32 + (name.charCodeAt(0) & 0x1f)] = 1;
const idByName = new Map(names);
const underscore = 0x5f;
const hyphen = 0x2d;

/** The number of the name `buffer[start, end)`, whatever its case; `FieldId.other` for names the proxy only forwards. */
export function fieldIdOf(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > longest) return FieldId.other;
  if (mayBeKnown[length * 32 + (buffer[start]! & 0x1f)] === 1) {
    const candidates = candidatesByLength[length]!;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (equalsIgnoringCase(buffer, start, candidate.bytes)) return candidate.id;
    }
  }
  if ((buffer[start]! | 0x20) !== 0x78) return FieldId.other;
  return isTrustedVariant(buffer, start, length) ? FieldId.neverForwarded : FieldId.other;
}

/** The number of a lower-case name, as `fieldIdOf` finds it in bytes. */
export function fieldIdOfName(name: string): number {
  const id = idByName.get(name);
  if (id !== undefined) return id;
  if (!name.startsWith('x') || !name.includes('_')) return FieldId.other;
  return fieldIdOf(Buffer.from(name, 'latin1'), 0, name.length);
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

/**
 * True where the name is a trusted one (they begin with `x-`) but for `_` in place of some `-`. The caller has ruled the
 * name itself out.
 */
function isTrustedVariant(buffer: Uint8Array, start: number, length: number): boolean {
  if (length > longest || (buffer[start + 1] !== underscore && buffer[start + 1] !== hyphen)) return false;
  const candidates = candidatesByLength[length]!;
  for (let candidate = 0; candidate < candidates.length; candidate++) {
    const name = candidates[candidate]!.bytes;
    let i = 0;
    for (; i < length; i++) {
      const byte = buffer[start + i]!;
      const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
      if (lower !== name[i] && !(byte === underscore && name[i] === hyphen)) break;
    }
    if (i === length) return true;
  }
  return false;
}

/** What all fields of one name have in common, worked out once. */
export class FieldName {
  /** Lower case; pseudo-headers with their colon. From a peer, whatever it sent. */
  readonly text: string;
  /** `FieldId` of the name. */
  readonly fieldId: number;
  readonly hash: number;
  /** Its number in the cache of names: small, and given to another name once this one has left; -1 while it isn't held. */
  id = -1;
  /** It has come more than once. */
  isRepeated = false;
  /** Used since the cache last looked whether it may be dropped. */
  wasUsed = false;
  /** Memo of HTTP/2's rules for fields: 0 until they are asked. */
  rules = 0;
  /** Memo of HPACK: the first entry of its static table that has this name, 0 for none, -1 until it is asked. */
  staticIndex = -1;

  constructor(text: string, hash: number) {
    this.text = text;
    this.fieldId = fieldIdOfName(text);
    this.hash = hash;
  }
}
