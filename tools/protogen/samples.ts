/**
 * Encodes messages written in protobuf's text format by `protoc`, an implementation that is not ours, for the tests of our
 * wire code. Arguments: the folder with our protos, the file to write.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';

const samples: readonly (readonly [type: string, text: string])[] = [
  ['google.protobuf.Duration', 'seconds: 5 nanos: 250000000'],
  ['google.protobuf.Duration', 'seconds: -315576000000 nanos: -999999999'],
  ['google.protobuf.Int64Value', 'value: -9007199254740991'],
  ['google.protobuf.UInt64Value', 'value: 9007199254740991'],
  ['google.protobuf.Int32Value', 'value: -2147483648'],
  ['google.protobuf.UInt32Value', 'value: 4294967295'],
  ['google.protobuf.DoubleValue', 'value: -1.5e300'],
  ['google.protobuf.FloatValue', 'value: 0.15625'],
  ['google.protobuf.BoolValue', 'value: true'],
  ['google.protobuf.StringValue', 'value: "gr\\303\\274\\303\\237 \\360\\237\\247\\265"'],
  ['google.protobuf.BytesValue', 'value: "\\000\\377\\200"'],
  [
    'google.protobuf.Struct',
    `fields { key: "list" value { list_value { values { number_value: 1.5 } values { null_value: NULL_VALUE } values { bool_value: false } } } }
     fields { key: "object" value { struct_value { fields { key: "text" value { string_value: "" } } } } }`,
  ],
  [
    'envoy.config.core.v3.Node',
    `id: "sidecar~a~reviews.default~default.svc.cluster.local" cluster: "reviews.default"
     metadata { fields { key: "APP_PORT" value { number_value: 9080 } } }
     locality { region: "r" zone: "z" sub_zone: "s" } user_agent_name: "heddle" user_agent_version: "0.1.0" client_features: "a" client_features: "b"`,
  ],
  [
    'envoy.config.endpoint.v3.ClusterLoadAssignment',
    `cluster_name: "outbound|9080||reviews.default.svc.cluster.local"
     endpoints {
       locality { zone: "a" } priority: 1 load_balancing_weight { value: 3 }
       lb_endpoints { endpoint { address { socket_address { address: "127.0.0.1" port_value: 15006 } } } health_status: DRAINING load_balancing_weight { value: 128 } }
       lb_endpoints { endpoint { address { pipe { path: "/run/app.sock" mode: 384 } } hostname: "h" } }
     }`,
  ],
  [
    'envoy.config.route.v3.RouteConfiguration',
    `name: "http-proxy|default" ignore_port_in_host_matching: true
     virtual_hosts {
       name: "reviews" domains: "reviews" domains: "reviews.default.svc.cluster.local:*"
       routes {
         name: "first"
         match { prefix: "/" case_sensitive { value: false }
           headers { name: "end-user" string_match { exact: "jason" ignore_case: true } invert_match: true }
           headers { name: "x-number" range_match { start: -5 end: 9007199254740991 } }
           query_parameters { name: "q" present_match: true }
           runtime_fraction { default_value { numerator: 25 denominator: TEN_THOUSAND } runtime_key: "k" } }
         route {
           weighted_clusters { clusters { name: "v1" weight { value: 80 } } clusters { name: "v2" weight { value: 20 } host_rewrite_literal: "x" } }
           timeout { seconds: 15 } prefix_rewrite: "/v2/" auto_host_rewrite { value: true } }
         request_headers_to_add { header { key: "a" value: "b" } append_action: OVERWRITE_IF_EXISTS_OR_ADD }
         response_headers_to_remove: "server"
       }
       routes { match { safe_regex { regex: "/a+" } } redirect { https_redirect: true response_code: PERMANENT_REDIRECT } }
       routes { match { path: "/x" } direct_response { status: 503 body { inline_string: "no" } } }
     }`,
  ],
  [
    'envoy.config.cluster.v3.Cluster',
    `name: "c" type: EDS eds_cluster_config { eds_config { ads {} resource_api_version: V3 initial_fetch_timeout { seconds: 1 } } }
     connect_timeout { nanos: 250000000 } lb_policy: RANDOM per_connection_buffer_limit_bytes { value: 32768 }
     typed_extension_protocol_options { key: "envoy.extensions.upstreams.http.v3.HttpProtocolOptions" value { type_url: "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions" value: "" } }
     metadata { filter_metadata { key: "istio" value { fields { key: "x" value { bool_value: true } } } } }
     transport_socket { name: "tls" typed_config { type_url: "type.googleapis.com/x" value: "\\001" } }`,
  ],
  [
    'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
    `sni: "outbound_.9080_._.reviews.default.svc.cluster.local"
     common_tls_context {
       tls_params { tls_minimum_protocol_version: TLSv1_3 } alpn_protocols: "istio-http/1.1"
       tls_certificate_sds_secret_configs { name: "default" sds_config { ads {} } }
       combined_validation_context {
         default_validation_context { match_typed_subject_alt_names { san_type: URI matcher { exact: "spiffe://cluster.local/ns/default/sa/reviews" } } }
         validation_context_sds_secret_config { name: "ROOTCA" sds_config { ads {} } } }
     }`,
  ],
  [
    'envoy.service.discovery.v3.DeltaDiscoveryRequest',
    `type_url: "t" resource_names_subscribe: "a" resource_names_unsubscribe: "b" response_nonce: "n"
     initial_resource_versions { key: "a" value: "1" } initial_resource_versions { key: "b" value: "" }
     error_detail { code: 3 message: "no" }`,
  ],
  [
    'envoy.service.discovery.v3.DeltaDiscoveryResponse',
    `type_url: "t" nonce: "n" removed_resources: "gone" control_plane { identifier: "heddle" }
     resources { name: "a" version: "1" resource { type_url: "t" value: "\\010\\001" } aliases: "b" ttl { seconds: 1 } }`,
  ],
  [
    'envoy.service.metrics.v3.StreamMetricsMessage',
    `identifier { node { id: "n" } }
     envoy_metrics { name: "requests" type: HISTOGRAM metric { label { name: "code" value: "200" } timestamp_ms: 1767225600000
       histogram { sample_count: 3 sample_sum: 4.5 bucket { cumulative_count: 1 upper_bound: 0.5 } bucket { cumulative_count: 3 upper_bound: inf } } } }`,
  ],
  [
    'heddle.mesh.v1.LeaseRequest',
    `publish { instance: "reviews-v1-4f9a2c" namespace: "default" service: "reviews" service_port: 9080 protocol: "http" address: "127.0.0.1" port: 40001
       labels { key: "app" value: "reviews" } labels { key: "version" value: "v1" } }`,
  ],
  ['istio.v1.auth.IstioCertificateRequest', 'csr: "pem" validity_duration: 86400'],
];

const [protos, target] = process.argv.slice(2) as [string, string];
const files = readdirSync(protos, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.proto'),
);
const encoded = samples.map(([type, text]) => {
  const bytes = execFileSync('protoc', ['-I', '.', `--encode=${type}`, ...files.sort()], {
    cwd: protos,
    input: text,
  });
  return `  ${JSON.stringify({ type, text: text.replace(/\s+/g, ' '), hex: bytes.toString('hex') })}`;
});
writeFileSync(target, `[\n${encoded.join(',\n')}\n]\n`);
