import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { AccessLogEntry, HeaderSource } from './access-log-entry.ts';
import { type FormattedMessage, compileHeaderFormat } from './header-format.ts';

const requestFields: Readonly<Record<string, string>> = { ':path': '/a?b', 'x-a': 'one', 'x-quoted': '"é"' };
const headers: HeaderSource = {
  requestHeader: (name) => requestFields[name] ?? null,
  responseHeader: (name) => (name === 'x-r' ? 'two' : null),
};
// What the formats below look at; the entry's own fields must not be asked.
const entry = {
  startTimeMs: 0,
  durationMs: 12.9,
  responseCode: 0,
  responseFlags: '-',
  grpcStatus: -1,
  protocol: 'HTTP/1.1',
  downstreamRemoteAddress: '[::1]:51000',
  downstreamDirectRemoteAddress: '10.0.0.9:1',
  downstreamTls: {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    peer: { subject: 'CN=a', issuer: 'CN=b', serial: '0c', dnsSans: ['a', 'b'], fingerprint: 'ff' },
  },
  upstreamHost: '10.0.0.7:80',
  upstreamCluster: 'be',
  upstreamLocalAddress: '10.0.0.1:4',
} as unknown as AccessLogEntry;

function value(format: string, message: FormattedMessage = 'response'): string {
  const compiled = compileHeaderFormat(format, message);
  assert.ok(compiled.ok);
  return typeof compiled.value === 'string' ? compiled.value : compiled.value(entry, headers);
}

const values: readonly (readonly [string, string])[] = [
  ['%REQ(x-a)%', 'one'],
  ['%REQ(X-NO?X-A)%', 'one'],
  ['%REQ(:path):2%', '/a'],
  ['%RESP(x-r)%', 'two'],
  ['%REQ(x-quoted)%', '"é"'],
  ['a%REQ(x-no)%b', 'ab'],
  ['%REQ(x-no)%', ''],
  ['%GRPC_STATUS_NUMBER%', ''],
  ['%RESPONSE_CODE% %RESPONSE_FLAGS% %DURATION%', '0 - 12'],
  ['%START_TIME%', '1970-01-01T00:00:00.000Z'],
  ['%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%|%DOWNSTREAM_REMOTE_PORT%', '::1|51000'],
  ['%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%', '10.0.0.9:1'],
  ['%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER%', 'TLSv1.3 TLS_AES_128_GCM_SHA256'],
  ['%DOWNSTREAM_PEER_SUBJECT%|%DOWNSTREAM_PEER_ISSUER%|%DOWNSTREAM_PEER_SERIAL%', 'CN=a|CN=b|0c'],
  ['%DOWNSTREAM_PEER_DNS_SAN%|%DOWNSTREAM_PEER_FINGERPRINT_256%', 'a,b|ff'],
  [
    '%UPSTREAM_HOST%|%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%|%UPSTREAM_REMOTE_PORT%',
    '10.0.0.7:80|10.0.0.7|80',
  ],
  ['%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%|%UPSTREAM_LOCAL_PORT%', '10.0.0.1|4'],
  ['100%%', '100%'],
  ['%HOSTNAME%', hostname()],
];
for (const [format, expected] of values) {
  test(`a header of ${format} is ${JSON.stringify(expected)}`, () => assert.equal(value(format), expected));
}

test('a request does not know its upstream yet, but the cluster', () => {
  assert.equal(value('%UPSTREAM_HOST%|%UPSTREAM_LOCAL_ADDRESS%|%UPSTREAM_CLUSTER%', 'request'), '||be');
});

test('what depends on no request is a constant', () => {
  for (const format of ['', 'a', '100%%', '%%%%']) {
    const compiled = compileHeaderFormat(format, 'request');
    assert.ok(compiled.ok && typeof compiled.value === 'string', format);
  }
});

test('variables of the environment are read once', () => {
  process.env['HEDDLE_TEST_VARIABLE'] = 'before';
  const compiled = compileHeaderFormat('%ENVIRONMENT(HEDDLE_TEST_VARIABLE)%', 'request');
  process.env['HEDDLE_TEST_VARIABLE'] = 'after';
  assert.ok(compiled.ok && typeof compiled.value === 'function');
  assert.equal(compiled.value(entry, headers), 'before');
  delete process.env['HEDDLE_TEST_VARIABLE'];
  assert.equal(value('%ENVIRONMENT(HEDDLE_TEST_VARIABLE)%'), '');
});

const refused: readonly (readonly [string, string])[] = [
  ['%DYNAMIC_METADATA(a:b)%', 'the format operator %DYNAMIC_METADATA% is not supported'],
  ['%NOPE%', 'the format operator %NOPE% is not supported'],
  ['%REQ%', '%REQ% needs a header name, or two with a question mark between them, in parentheses'],
  ['%ENVIRONMENT%', '%ENVIRONMENT% needs the name of a variable in parentheses'],
  ['50 % off', '"% off" is no format operator'],
];
for (const [format, message] of refused) {
  test(`refuses a header of ${format}`, () => {
    const compiled = compileHeaderFormat(format, 'response', 'value');
    assert.ok(!compiled.ok);
    assert.deepEqual(
      compiled.error.map((problem) => [problem.path, problem.message]),
      [['value', message]],
    );
  });
}
