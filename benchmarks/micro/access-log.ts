// One line of the access log. Run: node benchmarks/micro/access-log.ts
import {
  type AccessLogEntry,
  compileAccessLogFormat,
  compileJsonAccessLogFormat,
  defaultAccessLogFormat,
  istioAccessLogFormat,
} from '@heddle/telemetry';
import { bench, run } from './harness.ts';

const headers: Readonly<Record<string, string>> = {
  ':method': 'GET',
  ':path': '/productpage?u=normal',
  ':authority': 'productpage:9080',
  'user-agent': 'curl/8.9.1',
  'x-request-id': '3c8f8c7c-0d3f-4f8e-b6a1-2b0f1f7a1c11',
};
const entry: AccessLogEntry = {
  startTimeMs: 1_795_000_000_123,
  durationMs: 12.4,
  protocol: 'HTTP/1.1',
  responseCode: 200,
  grpcStatus: -1,
  responseFlags: '-',
  responseCodeDetails: 'via_upstream',
  connectionTerminationDetails: '',
  bytesReceived: 0,
  bytesSent: 4183,
  upstreamHost: '10.0.0.7:9080',
  upstreamCluster: 'outbound|9080||productpage.default.svc.cluster.local',
  upstreamAttempts: 1,
  upstreamLocalAddress: '10.0.0.3:41234',
  upstreamTransportFailureReason: '',
  downstreamLocalAddress: '10.0.0.3:15001',
  downstreamRemoteAddress: '10.0.0.3:52000',
  downstreamDirectRemoteAddress: '10.0.0.3:52000',
  downstreamTls: null,
  downstreamPeerUriSan: '',
  requestedServerName: '',
  routeName: 'default',
  requestHeader: (name) => headers[name] ?? null,
  responseHeader: () => null,
};

function unwrap<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error('the format is refused');
  return result.value;
}

const usual = unwrap(compileAccessLogFormat(defaultAccessLogFormat));
const istio = unwrap(compileAccessLogFormat(istioAccessLogFormat));
const json = unwrap(
  compileJsonAccessLogFormat(
    { method: '%REQ(:METHOD)%', path: '%REQ(:PATH)%', status: '%RESPONSE_CODE%' },
    '',
  ),
);

bench("Envoy's default format", () => usual(entry));
bench("Istio's format", () => istio(entry));
bench('three fields as JSON', () => json(entry));

await run();
