// Clusters whose endpoints speak HTTP/2.
import { type Json, type Setup, type } from './parts.ts';

const http2 = { explicit_http_config: { http2_protocol_options: {} } };

const tls = (more: Json = {}): Json => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': type('transport_sockets.tls.v3.UpstreamTlsContext'),
    sni: 'localhost',
    common_tls_context: { validation_context: { trusted_ca: { filename: 'cert.pem' } }, ...more },
  },
});

export const http2UpstreamSetups = {
  'http2-upstream': { upstreamSpeaks: 'http2', upstreamHttp: http2, logs: [] },
  'http2-upstream-trailers': {
    upstreamSpeaks: 'http2',
    upstreamHttp: http2,
    manager: { http_protocol_options: { enable_trailers: true }, proxy_100_continue: true },
  },
  'http2-upstream-upgrades': {
    upstreamSpeaks: 'http2',
    upstreamHttp: { explicit_http_config: { http2_protocol_options: { allow_connect: true } } },
    manager: { upgrade_configs: [{ upgrade_type: 'websocket' }] },
  },
  'http2-upstream-retries': {
    upstreamSpeaks: 'http2',
    upstreamHttp: http2,
    action: { retry_policy: { retry_on: 'reset', num_retries: 1 } },
    logs: [],
  },
  'http2-upstream-once': {
    upstreamSpeaks: 'http2',
    upstreamHttp: { ...http2, common_http_protocol_options: { max_requests_per_connection: 1 } },
  },
  'http2-upstream-options': {
    upstreamSpeaks: 'http2',
    cluster: {
      http2_protocol_options: {
        max_concurrent_streams: 1,
        override_stream_error_on_invalid_http_message: true,
        connection_keepalive: { interval: '30s', timeout: '5s' },
      },
    },
    logs: [],
  },
  'http2-upstream-over-tls': {
    upstreamSpeaks: 'http2-over-tls',
    upstreamHttp: http2,
    cluster: { transport_socket: tls() },
  },
  'http2-upstream-by-alpn': {
    upstreamSpeaks: 'http2-over-tls',
    upstreamHttp: { auto_config: {} },
    cluster: { transport_socket: tls() },
  },
  'http2-upstream-wrong-alpn': {
    upstreamSpeaks: 'http2-over-tls',
    upstreamHttp: { explicit_http_config: { http_protocol_options: {} } },
    cluster: { transport_socket: tls() },
  },
} as const satisfies Readonly<Record<string, Setup>>;
