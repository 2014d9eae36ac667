import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeMessage, packAny } from '../any.ts';
import { generatedTypes, protocSamples } from '../testing/generated-types.ts';
import { TypeUrl, messageNameOf } from '../type-url.ts';
import { BinaryWriter } from '../wire/binary-writer.ts';
import { bootstrapFromJson, messageFromJson, messageToJson, resourceToJson } from './message-json.ts';

const clusterName = messageNameOf(TypeUrl.cluster);
const types = await generatedTypes();

/** What a value becomes when it is read as a message and written again. */
function roundTrip(name: string, value: unknown): unknown {
  const bytes = messageFromJson(name, value);
  assert.ok(bytes.ok, JSON.stringify(bytes));
  return messageToJson(name, bytes.value);
}

/** `path: message (hint)` of each problem. */
function problemsOf(name: string, value: unknown): string[] {
  const result = messageFromJson(name, value);
  assert.ok(!result.ok, 'it was accepted');
  return result.error.map(
    ({ path, message, hint }) => `${path}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

describe('messageFromJson', () => {
  it('takes names in snake_case and in lowerCamelCase', () => {
    const expected = { name: 'c', alt_stat_name: 's', eds_cluster_config: { service_name: 'x' } };
    assert.deepEqual(roundTrip(clusterName, expected), expected);
    assert.deepEqual(
      roundTrip(clusterName, { name: 'c', altStatName: 's', edsClusterConfig: { serviceName: 'x' } }),
      expected,
    );
    assert.deepEqual(roundTrip('envoy.config.core.v3.Http1ProtocolOptions', { acceptHttp10: true }), {
      accept_http_10: true,
    });
  });

  it('takes durations, wrappers, enums, maps, bytes and 64-bit numbers in their JSON forms', () => {
    const value = {
      name: 'c',
      type: 'STRICT_DNS',
      connect_timeout: '0.250s',
      per_connection_buffer_limit_bytes: 32768,
      lb_policy: 3,
      metadata: { filter_metadata: { istio: { a: [1, 'x', null, { b: true }] } } },
    };
    assert.deepEqual(roundTrip(clusterName, value), {
      ...value,
      connect_timeout: '0.25s',
      lb_policy: 'RANDOM',
    });
    const source = roundTrip('envoy.config.core.v3.DataSource', { inline_bytes: 'AP-_' });
    assert.deepEqual(source, { inline_bytes: 'AP+/' });
    const range = roundTrip('envoy.type.v3.Int64Range', { start: '-9223372036854775808', end: 5 });
    assert.deepEqual(range, { start: '-9223372036854775808', end: '5' });
  });

  it('takes durations to the nanosecond, and refuses what is none', () => {
    for (const text of ['0s', '1s', '-1.5s', '0.000000001s', '-0.000000001s', '315576000000s']) {
      assert.equal(roundTrip('google.protobuf.Duration', text), text);
    }
    for (const text of ['', '1', '1m', '1.s', '.5s', '1.0000000001s', '315576000001s', ' 1s', 5, null]) {
      assert.equal(messageFromJson('google.protobuf.Duration', text).ok, false, String(text));
    }
  });

  it('takes times with offsets and fractions', () => {
    assert.equal(
      roundTrip('google.protobuf.Timestamp', '2026-01-31T12:00:00.5+01:00'),
      '2026-01-31T11:00:00.5Z',
    );
    assert.equal(messageFromJson('google.protobuf.Timestamp', '2026-13-31T12:00:00Z').ok, false);
    assert.equal(messageFromJson('google.protobuf.Timestamp', 'yesterday').ok, false);
  });

  it('takes an Any with its type', () => {
    const value = {
      name: 'f',
      typed_config: { '@type': TypeUrl.router, suppress_envoy_headers: true },
    };
    assert.deepEqual(roundTrip('envoy.config.listener.v3.Filter', value), value);
    const special = { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '5s' };
    assert.deepEqual(roundTrip('google.protobuf.Any', special), special);
  });

  it('takes null for absent, except where null is a value', () => {
    assert.deepEqual(roundTrip(clusterName, { name: null, type: null }), {});
    assert.deepEqual(roundTrip('google.protobuf.Struct', { a: null }), { a: null });
  });

  it('says of unknown fields whether Envoy has them or which name was meant', () => {
    assert.deepEqual(problemsOf(clusterName, { healthChecks: [], lb_polici: 'RANDOM', zzzzzzzzzz: 1 }), [
      'healthChecks: Cluster.health_checks is known to Envoy and not supported by Heddle yet.',
      "lb_polici: Cluster.lb_polici is not known. (Did you mean 'lb_policy'?)",
      'zzzzzzzzzz: Cluster.zzzzzzzzzz is not known.',
    ]);
  });

  it('accepts fields of Envoy that have no effect on traffic', () => {
    assert.deepEqual(
      roundTrip('envoy.config.route.v3.RouteConfiguration', { name: 'r', metadata: { x: 1 } }),
      {
        name: 'r',
      },
    );
  });

  it('collects all problems, each with its path as it was written', () => {
    const value = {
      name: 5,
      type: 'EDDS',
      connectTimeout: 5,
      respect_dns_ttl: 'yes',
      lb_policy: {},
      per_connection_buffer_limit_bytes: -1,
      load_assignment: { endpoints: [{ lb_endpoints: {} }, { priority: 1.5 }] },
      typed_extension_protocol_options: { x: { '@type': 'type.googleapis.com/acme.X' }, y: {} },
    };
    assert.deepEqual(problemsOf(clusterName, value), [
      'name: Expected a string and found a number. (Put it in quotes.)',
      "type: 'EDDS' is none of STATIC, STRICT_DNS, LOGICAL_DNS, EDS, ORIGINAL_DST. (Did you mean 'EDS'?)",
      "connectTimeout: Expected a duration and found a number. (Write seconds with an s, such as '0.25s'.)",
      'per_connection_buffer_limit_bytes: -1 is outside of 0 to 4294967295.',
      'lb_policy: an object is none of ROUND_ROBIN, LEAST_REQUEST, RING_HASH, RANDOM, MAGLEV, CLUSTER_PROVIDED, LOAD_BALANCING_POLICY_CONFIG.',
      'load_assignment.endpoints[0].lb_endpoints: Expected a list and found an object.',
      'load_assignment.endpoints[1].priority: Expected a whole number and found a number.',
      'typed_extension_protocol_options[x]: The type acme.X is not known.',
      "typed_extension_protocol_options[y]: '@type' is missing: it names the type of what follows.",
      'respect_dns_ttl: Expected true or false and found a string.',
    ]);
  });

  it('refuses two members of one oneof, and a field in both spellings', () => {
    assert.deepEqual(problemsOf('envoy.config.core.v3.DataSource', { filename: 'a', inline_string: 'b' }), [
      "inline_string: Only one of 'filename' and 'inline_string' can be set.",
    ]);
    assert.deepEqual(problemsOf(clusterName, { alt_stat_name: 'a', altStatName: 'b' }), [
      "altStatName: Only one of 'alt_stat_name' and 'altStatName' can be set.",
    ]);
  });

  it('refuses what is no object, and what lies too deep', () => {
    for (const value of [null, 5, 'x', [], true]) assert.equal(messageFromJson(clusterName, value).ok, false);
    let deep: unknown = {};
    for (let depth = 0; depth < 5000; depth++) {
      deep = { '@type': TypeUrl.httpConnectionManager, http_filters: [{ typed_config: deep }] };
    }
    assert.equal(messageFromJson('google.protobuf.Any', deep).ok, false);
  });

  it('ends in bytes of the message or in problems, whatever the value', () => {
    const names = [...types.keys()];
    fc.assert(
      fc.property(fc.nat(names.length - 1), fc.json({ maxDepth: 6 }), (index, json) => {
        const name = names[index]!;
        const result = messageFromJson(name, JSON.parse(json));
        if (result.ok) types.get(name)!.decode(result.value);
        else assert.ok(result.error.length > 0);
      }),
    );
  });
});

describe('messageToJson', () => {
  // An Any of a type that there is not can be shown, but not be read back.
  for (const { type, text, bytes } of protocSamples().filter(
    ({ text }) => !/\{ type_url: "(?:t|[^"]*\/x)"/.test(text),
  )) {
    it(`loses nothing of ${type} ${text.slice(0, 50)}`, () => {
      const json = messageToJson(type, bytes);
      const again = messageFromJson(type, json);
      assert.ok(again.ok, JSON.stringify([json, again]));
      const message = types.get(type)!;
      assert.deepEqual(message.decode(again.value), message.decode(bytes));
    });
  }

  it('shows a resource with its type first', () => {
    const json = resourceToJson(TypeUrl.cluster, encodeMessage(TypeUrl.cluster, { name: 'c' }));
    assert.equal(JSON.stringify(json), `{"@type":"${TypeUrl.cluster}","name":"c"}`);
  });

  it('never shows a private key', () => {
    const secret = encodeMessage(TypeUrl.secret, {
      name: 's',
      type: {
        $case: 'tlsCertificate',
        value: {
          certificateChain: { specifier: { $case: 'inlineString', value: 'chain' } },
          privateKey: { specifier: { $case: 'inlineString', value: 'MARKER' } },
        },
      },
    });
    const text = JSON.stringify(resourceToJson(TypeUrl.secret, secret));
    assert.match(text, /chain/);
    assert.doesNotMatch(text, /MARKER/);
  });

  it('never shows keys of session tickets', () => {
    const secret = encodeMessage(TypeUrl.secret, {
      name: 's',
      type: {
        $case: 'sessionTicketKeys',
        value: { keys: [{ specifier: { $case: 'inlineString', value: 'MARKER' } }] },
      },
    });
    const text = JSON.stringify(resourceToJson(TypeUrl.secret, secret));
    assert.match(text, /redacted/);
    assert.doesNotMatch(text, /MARKER/);
  });

  it('shows where a private key is, and nothing of the key', () => {
    const certificate = (source: object): unknown =>
      resourceToJson(
        TypeUrl.secret,
        encodeMessage(TypeUrl.secret, {
          name: 's',
          type: { $case: 'tlsCertificate', value: { privateKey: { specifier: source as never } } },
        }),
      );
    const keyOf = (source: object): unknown =>
      (certificate(source) as { tls_certificate: { private_key: unknown } }).tls_certificate.private_key;
    assert.deepEqual(keyOf({ $case: 'filename', value: 'key.pem' }), { filename: 'key.pem' });
    assert.deepEqual(keyOf({ $case: 'inlineString', value: 'MARKER' }), { inline_string: '[redacted]' });
    assert.deepEqual(keyOf({ $case: 'inlineBytes', value: Buffer.from('MARKER') }), {
      inline_bytes: '[redacted]',
    });
  });

  it('names the fields that our messages do not have, and shows an Any of another type as bytes', () => {
    const bytes = new BinaryWriter()
      .raw(encodeMessage(TypeUrl.cluster, { name: 'c' }))
      .tag(8, 2)
      .bytes(new Uint8Array(0)) // prettier-ignore
      .tag(4242, 0)
      .uint32(1) // prettier-ignore
      .finish();
    assert.deepEqual(messageToJson(clusterName, bytes), {
      name: 'c',
      '@unknown': ['health_checks', '#4242'],
    });
    const any = { typeUrl: 'type.googleapis.com/acme.X', value: Uint8Array.of(1) };
    const filter = encodeMessage(TypeUrl.httpConnectionManager, {
      httpFilters: [{ configType: { $case: 'typedConfig', value: any } }],
    });
    assert.deepEqual(messageToJson(messageNameOf(TypeUrl.httpConnectionManager), filter), {
      http_filters: [{ typed_config: { '@type': any.typeUrl, '@bytes': 'AQ==' } }],
    });
  });
});

describe('bootstrapFromJson', () => {
  it('reads a static configuration as people write it', () => {
    const result = bootstrapFromJson({
      admin: { address: { socket_address: { address: '127.0.0.1', port_value: 9901 } } },
      static_resources: {
        listeners: [
          {
            name: 'web',
            address: { socket_address: { address: '127.0.0.1', port_value: 10000 } },
            filter_chains: [
              {
                filters: [
                  {
                    name: 'envoy.filters.network.http_connection_manager',
                    typed_config: {
                      '@type': TypeUrl.httpConnectionManager,
                      stat_prefix: 'web',
                      route_config: {
                        virtual_hosts: [
                          {
                            name: 'all',
                            domains: ['*'],
                            routes: [
                              { match: { prefix: '/' }, route: { cluster: 'backend', timeout: '0s' } },
                            ],
                          },
                        ],
                      },
                      http_filters: [
                        { name: 'envoy.filters.http.router', typed_config: { '@type': TypeUrl.router } },
                      ],
                    },
                  },
                ],
              },
            ],
          },
        ],
      },
    });
    assert.ok(result.ok, JSON.stringify(result));
    const [listener] = result.value.staticResources!.listeners;
    assert.equal(listener!.name, 'web');
    const hcm = packAny(TypeUrl.httpConnectionManager, { statPrefix: 'web' });
    assert.equal(listener!.filterChains[0]!.filters[0]!.configType!.value.typeUrl, hcm.typeUrl);
  });
});
