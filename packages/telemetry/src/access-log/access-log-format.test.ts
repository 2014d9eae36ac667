import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessLogEntry } from './access-log-entry.ts';
import { compileAccessLogFormat, defaultAccessLogFormat, istioAccessLogFormat } from './access-log-format.ts';
import { compileJsonAccessLogFormat, type JsonFormat } from './json-access-log-format.ts';

const requestHeaders: Record<string, string> = {
  ':method': 'GET',
  ':path': '/productpage?u=1',
  ':authority': 'productpage:9080',
  'user-agent': 'curl/8',
  'x-request-id': 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
};

function entry(changes: Partial<AccessLogEntry> = {}): AccessLogEntry {
  return {
    startTimeMs: Date.UTC(2026, 10, 21, 11, 26, 3, 7),
    durationMs: 12.9,
    protocol: 'HTTP/1.1',
    responseCode: 200,
    grpcStatus: -1,
    responseFlags: '',
    responseCodeDetails: 'via_upstream',
    connectionTerminationDetails: '',
    bytesReceived: 0,
    bytesSent: 4183,
    upstreamHost: '10.0.0.7:15006',
    upstreamCluster: 'outbound|9080||productpage.default.svc.cluster.local',
    upstreamAttempts: 1,
    upstreamLocalAddress: '10.0.0.5:40312',
    upstreamTransportFailureReason: '',
    downstreamLocalAddress: '127.0.0.1:15001',
    downstreamRemoteAddress: '[::1]:51000',
    downstreamDirectRemoteAddress: '10.0.0.9:51001',
    downstreamTls: null,
    downstreamPeerUriSan: 'spiffe://cluster.local/ns/default/sa/web',
    requestedServerName: '',
    routeName: 'default',
    requestHeader: (name) => requestHeaders[name] ?? null,
    responseHeader: (name) => (name === 'x-envoy-upstream-service-time' ? '11' : null),
    ...changes,
  };
}

function format(text: string, changes: Partial<AccessLogEntry> = {}): string {
  const compiled = compileAccessLogFormat(text);
  assert.ok(compiled.ok);
  return compiled.value(entry(changes));
}

function formatJson(json: JsonFormat, changes: Partial<AccessLogEntry> = {}): string {
  const compiled = compileJsonAccessLogFormat(json);
  assert.ok(compiled.ok);
  return compiled.value(entry(changes));
}

test("writes Envoy's default line", () => {
  assert.equal(
    format(defaultAccessLogFormat),
    '[2026-11-21T11:26:03.007Z] "GET /productpage?u=1 HTTP/1.1" 200 - 0 4183 12 11 "-" "curl/8" "f47ac10b-58cc-4372-a567-0e02b2c3d479" "productpage:9080" "10.0.0.7:15006"\n',
  );
});

test("writes Istio's default line", () => {
  assert.equal(
    format(istioAccessLogFormat),
    '[2026-11-21T11:26:03.007Z] "GET /productpage?u=1 HTTP/1.1" 200 - via_upstream - "-" 0 4183 12 11 "-" "curl/8" "f47ac10b-58cc-4372-a567-0e02b2c3d479" "productpage:9080" "10.0.0.7:15006" outbound|9080||productpage.default.svc.cluster.local 10.0.0.5:40312 127.0.0.1:15001 [::1]:51000 - default\n',
  );
});

test('a request that got no response says so', () => {
  assert.equal(
    format('%RESPONSE_CODE% %RESPONSE_FLAGS% %DURATION% %UPSTREAM_HOST%', {
      responseCode: 0,
      responseFlags: 'DC',
      durationMs: -1,
      upstreamHost: '',
    }),
    '0 DC - -',
  );
});

test('takes the second header where the first is missing, and cuts at the length', () => {
  assert.equal(format('%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):12%'), '/productpage');
  assert.equal(format('%REQ(:METHOD?:PATH)%'), 'GET');
  assert.equal(format('%RESP(X-NO?X-ENVOY-UPSTREAM-SERVICE-TIME)%'), '11');
});

test('nothing that a peer sends can end a field or a line', () => {
  const evil = 'a" 200\r\n[forged] "\\\u0000\u001b[31m\u00e9\u0085';
  const line = format('"%REQ(USER-AGENT)%" "%RESP(X)%"\n', {
    requestHeader: () => evil,
    responseHeader: () => evil,
  });
  assert.equal(line.split('\n').length, 2);
  assert.match(line.slice(0, -1), /^"[\x20\x21\x23-\x7e]*" "[\x20\x21\x23-\x7e]*"$/);
  assert.ok(line.includes('a\\x22 200\\x0d\\x0a[forged] \\x22\\x5c\\x00\\x1b[31m\\xe9\\x85'));
});

test('escapes what comes from TLS and errors too', () => {
  const line = format(
    '%REQUESTED_SERVER_NAME%|%UPSTREAM_TRANSPORT_FAILURE_REASON%|%DOWNSTREAM_PEER_URI_SAN%',
    {
      requestedServerName: 'a\nb',
      upstreamTransportFailureReason: 'x"y',
      downstreamPeerUriSan: 'spiffe://x/\u0007',
    },
  );
  assert.equal(line, 'a\\x0ab|x\\x22y|spiffe://x/\\x07');
});

test('the status of a gRPC call by its name in two spellings, and by its number', () => {
  const text = '%GRPC_STATUS% %GRPC_STATUS(CAMEL_STRING)% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)%';
  const line = (grpcStatus: number): string => format(`${text} %GRPC_STATUS_NUMBER%`, { grpcStatus });
  assert.equal(line(0), 'OK OK OK 0 0');
  assert.equal(line(1), 'Canceled Canceled CANCELLED 1 1');
  assert.equal(line(16), 'Unauthenticated Unauthenticated UNAUTHENTICATED 16 16');
  assert.equal(line(77), '77 77 77 77 77');
  assert.equal(line(-1), '- - - - -');
});

test('addresses without their port', () => {
  assert.equal(
    format('%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%'),
    '::1 127.0.0.1',
  );
});

test('two percent signs are one', () => {
  assert.equal(format('100%% %PROTOCOL%%%'), '100% HTTP/1.1%');
});

test('the time may have a format of its own', () => {
  assert.equal(format('%START_TIME(%Y/%m/%dT%H:%M:%S.%3f%z %s)%'), '2026/11/21T11:26:03.007+0000 1795260363');
  assert.equal(format('%START_TIME(%FT%T.%6fZ %b)%'), '2026-11-21T11:26:03.007000Z Nov');
});

test('the time moves on within a second and to the next', () => {
  const compiled = compileAccessLogFormat('%START_TIME%');
  assert.ok(compiled.ok);
  const at = (ms: number): string => compiled.value(entry({ startTimeMs: ms }));
  assert.deepEqual(
    [at(0), at(999), at(1000), at(999)],
    [
      '1970-01-01T00:00:00.000Z',
      '1970-01-01T00:00:00.999Z',
      '1970-01-01T00:00:01.000Z',
      '1970-01-01T00:00:00.999Z',
    ],
  );
});

test('refuses unknown operators by name, all of them, with the nearest known one', () => {
  const compiled = compileAccessLogFormat(
    '%UPSTREAM_HOSTS% %BYTES_SEND% %NOTHING_LIKE_IT%',
    'access_log[0].text_format',
  );
  assert.ok(!compiled.ok);
  assert.deepEqual(
    compiled.error.map(({ path, message, hint }) => [path, message, hint]),
    [
      [
        'access_log[0].text_format',
        'the format operator %UPSTREAM_HOSTS% is not supported',
        'did you mean %UPSTREAM_HOST%?',
      ],
      [
        'access_log[0].text_format',
        'the format operator %BYTES_SEND% is not supported',
        'did you mean %BYTES_SENT%?',
      ],
      ['access_log[0].text_format', 'the format operator %NOTHING_LIKE_IT% is not supported', undefined],
    ],
  );
});

const malformed: readonly [string, RegExp][] = [
  ['50% done', /is no format operator/],
  ['%REQ%', /needs a header name/],
  ['%REQ()%', /needs a header name/],
  ['%REQ(A?B?C)%', /needs a header name/],
  ['%REQ(A', /is no format operator/],
  ['%PROTOCOL(x)%', /takes no parameter/],
  ['%GRPC_STATUS(UPPER)%', /takes CAMEL_STRING, SNAKE_STRING or NUMBER/],
  ['%START_TIME(%Q)%', /time directive %Q/],
  ['%constructor%', /%constructor% is not supported/],
];
for (const [text, message] of malformed) {
  test(`refuses ${text}`, () => {
    const compiled = compileAccessLogFormat(text);
    assert.ok(!compiled.ok);
    assert.match(compiled.error[0]!.message, message);
  });
}

test('JSON keeps numbers as numbers and says null for nothing', () => {
  const line = formatJson({
    code: '%RESPONSE_CODE%',
    grpc: '%GRPC_STATUS(NUMBER)%',
    grpcName: '%GRPC_STATUS%',
    flags: '%RESPONSE_FLAGS%',
    agent: '%REQ(USER-AGENT)%',
    took: 'took %DURATION% ms to %UPSTREAM_HOST% flags %RESPONSE_FLAGS%',
    fixed: [1, true, null, 'x'],
    nested: { protocol: '%PROTOCOL%' },
  });
  assert.ok(line.endsWith('\n'));
  assert.deepEqual(JSON.parse(line), {
    code: 200,
    grpc: null,
    grpcName: null,
    flags: null,
    agent: 'curl/8',
    took: 'took 12 ms to 10.0.0.7:15006 flags -',
    fixed: [1, true, null, 'x'],
    nested: { protocol: 'HTTP/1.1' },
  });
});

test('JSON stays one line of JSON whatever a peer sends', () => {
  const evil = '"},{"x":"\\\r\n\u0000\u007f\u009b\u2028';
  const line = formatJson(
    { '"key"\n': '%REQ(USER-AGENT)%', mixed: 'ua "%REQ(USER-AGENT)%"' },
    { requestHeader: () => evil },
  );
  assert.equal(line.indexOf('\n'), line.length - 1);
  for (let i = 0; i < line.length - 1; i++) {
    const code = line.charCodeAt(i);
    assert.ok(code >= 0x20 && (code < 0x7f || code > 0x9f), `control character ${code}`);
  }
  assert.deepEqual(JSON.parse(line), { '"key"\n': evil, mixed: `ua "${evil}"` });
});

test('JSON refuses unknown operators with the path of the field', () => {
  const compiled = compileJsonAccessLogFormat({ a: { b: ['%X_Y%'] }, c: '%Z%' }, 'json_format');
  assert.ok(!compiled.ok);
  assert.deepEqual(
    compiled.error.map((problem) => problem.path),
    ['json_format.a.b[0]', 'json_format.c'],
  );
});
