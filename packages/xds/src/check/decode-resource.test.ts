import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Problem } from '@heddle/base';
import { encodeMessage, packAny, unpackAny } from '../any.ts';
import type { DeepPartial, MessageOf } from '../message-types.ts';
import { TypeUrl } from '../type-url.ts';
import { BinaryWriter } from '../wire/binary-writer.ts';
import { decodeResource } from './decode-resource.ts';

type Hcm = MessageOf<typeof TypeUrl.httpConnectionManager>;

function problemsOf(typeUrl: TypeUrl, bytes: Uint8Array): readonly Problem[] {
  const result = decodeResource(typeUrl, bytes);
  return result.ok ? [] : result.error;
}

/** `code path: message` of each problem. */
function listOf(typeUrl: TypeUrl, bytes: Uint8Array): string[] {
  return problemsOf(typeUrl, bytes).map(({ code, path, message }) => `${code} ${path ?? ''}: ${message}`);
}

/** A listener with one connection manager, to which raw fields are appended. */
function listenerWith(hcm: DeepPartial<Hcm>, more: (writer: BinaryWriter) => BinaryWriter): Uint8Array {
  const encoded = encodeMessage(TypeUrl.httpConnectionManager, hcm);
  const value = more(new BinaryWriter().raw(encoded)).finish();
  return encodeMessage(TypeUrl.listener, {
    name: 'l',
    filterChains: [
      {},
      {
        filters: [
          {
            name: 'hcm',
            configType: { $case: 'typedConfig', value: { typeUrl: TypeUrl.httpConnectionManager, value } },
          },
        ],
      },
    ],
  });
}

describe('decodeResource', () => {
  it('decodes what is supported, and what is in an Any once', () => {
    const bytes = listenerWith({ statPrefix: 's' }, (writer) => writer);
    const result = decodeResource(TypeUrl.listener, bytes);
    assert.ok(result.ok);
    const any = result.value.filterChains[1]!.filters[0]!.configType!.value;
    const first = unpackAny(any, TypeUrl.httpConnectionManager);
    const second = unpackAny(any, TypeUrl.httpConnectionManager);
    assert.ok(first.ok && second.ok);
    assert.equal(first.value.statPrefix, 's');
    assert.equal(first.value, second.value);
  });

  it('names an unsupported field with its path, through an Any', () => {
    const bytes = listenerWith({}, (writer) => writer.tag(7, 2).fork().join());
    assert.deepEqual(listOf(TypeUrl.listener, bytes), [
      'HEDDLE_XDS_UNSUPPORTED_FIELD filter_chains[1].filters[0].typed_config.tracing: ' +
        'HttpConnectionManager.tracing is known to Envoy and not supported by Heddle yet.',
    ]);
  });

  it('names all of them, and each once', () => {
    const bytes = new BinaryWriter()
      .raw(encodeMessage(TypeUrl.cluster, { name: 'c' }))
      .tag(8, 2)
      .bytes(new Uint8Array(0)) // prettier-ignore
      .tag(8, 2)
      .bytes(new Uint8Array(0)) // prettier-ignore
      .tag(19, 2)
      .bytes(new Uint8Array(0)) // prettier-ignore
      .finish();
    assert.deepEqual(
      problemsOf(TypeUrl.cluster, bytes).map(({ path }) => path),
      ['health_checks', 'outlier_detection'],
    );
  });

  it('says of a number that nobody has that it is not known', () => {
    const bytes = new BinaryWriter().tag(4242, 0).uint32(1).finish();
    assert.deepEqual(listOf(TypeUrl.cluster, bytes), [
      'HEDDLE_XDS_UNSUPPORTED_FIELD #4242: Cluster.field 4242 is not known.',
    ]);
  });

  it('accepts fields that have no effect on traffic', () => {
    // VirtualHost.metadata and VirtualHost.virtual_clusters; RouteConfiguration.metadata.
    const host = new BinaryWriter()
      .tag(24, 2)
      .bytes(new Uint8Array(0))
      .tag(5, 2)
      .bytes(new Uint8Array(0))
      .finish();
    const bytes = new BinaryWriter().tag(17, 2).bytes(new Uint8Array(0)).tag(2, 2).bytes(host).finish();
    const result = decodeResource(TypeUrl.routeConfiguration, bytes);
    assert.ok(result.ok, JSON.stringify(result));
    assert.equal(result.value.virtualHosts.length, 1);
  });

  it('looks into resources that hold no Any', () => {
    const endpoint = new BinaryWriter().tag(1, 2).fork().tag(4, 2).bytes(new Uint8Array(0)).join().finish();
    const bytes = new BinaryWriter()
      .tag(1, 2)
      .string('c')
      .tag(2, 2)
      .fork()
      .tag(2, 2)
      .bytes(endpoint)
      .join()
      .finish();
    assert.deepEqual(
      problemsOf(TypeUrl.clusterLoadAssignment, bytes).map(({ path }) => path),
      ['endpoints[0].lb_endpoints[0].endpoint.additional_addresses'],
    );
  });

  it('refuses a type in an Any that it does not have, and says whether Envoy has it', () => {
    const filter = (typeUrl: string): Uint8Array =>
      encodeMessage(TypeUrl.httpConnectionManager, {
        httpFilters: [
          { name: 'f', configType: { $case: 'typedConfig', value: { typeUrl, value: new Uint8Array(0) } } },
        ],
      });
    assert.deepEqual(
      listOf(
        TypeUrl.httpConnectionManager,
        filter('type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua'),
      ),
      [
        'HEDDLE_XDS_UNSUPPORTED_TYPE http_filters[0].typed_config: ' +
          'The type envoy.extensions.filters.http.lua.v3.Lua is known to Envoy and not supported by Heddle yet.',
      ],
    );
    assert.deepEqual(listOf(TypeUrl.httpConnectionManager, filter('type.googleapis.com/acme.Filter')), [
      'HEDDLE_XDS_UNSUPPORTED_TYPE http_filters[0].typed_config: The type acme.Filter is not known.',
    ]);
  });

  it('lets an optional filter pass whose type it does not have', () => {
    const value = { typeUrl: 'type.googleapis.com/acme.Filter', value: new Uint8Array(0) };
    const bytes = encodeMessage(TypeUrl.httpConnectionManager, {
      httpFilters: [{ name: 'f', isOptional: true, configType: { $case: 'typedConfig', value } }],
    });
    assert.deepEqual(problemsOf(TypeUrl.httpConnectionManager, bytes), []);
  });

  it('does not look into metadata', () => {
    const any = { typeUrl: 'type.googleapis.com/acme.Anything', value: new Uint8Array(0) };
    const bytes = encodeMessage(TypeUrl.cluster, {
      metadata: { filterMetadata: { x: { _unknownFields: [1] } }, typedFilterMetadata: { x: any } },
    });
    assert.deepEqual(problemsOf(TypeUrl.cluster, bytes), []);
  });

  it('names the key of a map in the path', () => {
    const bytes = encodeMessage(TypeUrl.cluster, {
      typedExtensionProtocolOptions: {
        'envoy.x': { typeUrl: 'type.googleapis.com/acme.X', value: new Uint8Array(0) },
      },
    });
    assert.deepEqual(
      problemsOf(TypeUrl.cluster, bytes).map(({ path }) => path),
      ['typed_extension_protocol_options[envoy.x]'],
    );
  });

  it('refuses bytes that are no such message, and a known field of the wrong wire type', () => {
    assert.deepEqual(
      problemsOf(TypeUrl.cluster, Uint8Array.of(10, 200)).map(({ code }) => code),
      ['HEDDLE_XDS_MALFORMED'],
    );
    assert.deepEqual(listOf(TypeUrl.cluster, Uint8Array.of(8, 1)), [
      'HEDDLE_XDS_MALFORMED name: The bytes are no valid envoy.config.cluster.v3.Cluster: name has the wrong wire type.',
    ]);
  });

  it('refuses messages that lie too deep within each other', () => {
    let any = packAny(TypeUrl.httpConnectionManager, {});
    for (let depth = 0; depth < 100; depth++) {
      any = packAny(TypeUrl.httpConnectionManager, {
        httpFilters: [{ configType: { $case: 'typedConfig', value: any } }],
      });
    }
    const [problem] = problemsOf(TypeUrl.httpConnectionManager, any.value);
    assert.equal(problem!.code, 'HEDDLE_XDS_MALFORMED');
  });
});

describe('unpackAny', () => {
  it('does not take one type for another', () => {
    const result = unpackAny(packAny(TypeUrl.router, {}), TypeUrl.cluster);
    assert.deepEqual(result, {
      ok: false,
      error:
        'Expected envoy.config.cluster.v3.Cluster and found envoy.extensions.filters.http.router.v3.Router.',
    });
  });

  it('reports bytes that cannot be read', () => {
    const result = unpackAny({ typeUrl: TypeUrl.cluster, value: Uint8Array.of(10, 5) }, TypeUrl.cluster);
    assert.ok(!result.ok);
    assert.match(result.error, /Not a valid envoy\.config\.cluster\.v3\.Cluster: .*middle of a field/);
  });
});
