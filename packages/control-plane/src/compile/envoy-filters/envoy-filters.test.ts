import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { Struct } from '@heddle/xds/api/google/protobuf/struct.ts';
import { BinaryReader } from '@heddle/xds/wire/binary-reader.ts';
import { makeMeshWorld, type MeshWorld, type TestSidecar } from '../../testing/mesh-world.ts';

const lua = {
  name: 'lua',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua',
    default_source_code: { inline_string: 'function envoy_on_request() end' },
  },
};

interface Patch {
  readonly operation: string;
  readonly applyTo?: string;
  readonly context?: string;
  readonly at?: string;
  readonly value?: object;
  readonly listener?: object;
}

function filter(
  name: string,
  { operation, applyTo = 'HTTP_FILTER', context, at, value = lua, listener }: Patch,
  more: object = {},
): string {
  const manager = 'envoy.filters.network.http_connection_manager';
  const filterChain = { filter: { name: manager, ...(at === undefined ? {} : { subFilter: { name: at } }) } };
  const match = { ...(context === undefined ? {} : { context }), listener: { filterChain, ...listener } };
  return JSON.stringify({
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name },
    spec: { configPatches: [{ applyTo, match, patch: { operation, value } }], ...more },
  });
}

/** Names of the HTTP filters of a listener. */
function filtersOf(client: TestSidecar, listener: string) {
  const config = client.get(TypeUrl.listener, listener).filterChains[0]?.filters.at(-1)?.configType?.value;
  const manager = unpackAny(config ?? assert.fail(), TypeUrl.httpConnectionManager);
  assert.ok(manager.ok);
  return manager.value.httpFilters;
}
const namesOf = (client: TestSidecar, listener: string): string[] =>
  filtersOf(client, listener).map(({ name }) => name.replace('envoy.filters.http.', ''));

/** The bytes of a field of a TypedStruct. */
function fieldOf(message: Uint8Array, number: number): Uint8Array {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const value = reader.bytes();
    if (tag >>> 3 === number) return value;
  }
  return assert.fail(`no field ${number}`);
}

async function started(): Promise<{ world: MeshWorld; envoy: TestSidecar; sidecar: TestSidecar }> {
  const world = await makeMeshWorld();
  const envoy = world.connect({ instance: 'a-1', service: 'a', metadata: { GENERATOR: 'envoy' } });
  const sidecar = world.connect({ instance: 'a-2', service: 'a' });
  await world.settle();
  return { world, envoy, sidecar };
}

describe('EnvoyFilters', () => {
  it('reach Envoys as they are written, and nobody else', async () => {
    const { world, envoy, sidecar } = await started();
    const patch = filter('f', {
      operation: 'INSERT_BEFORE',
      context: 'SIDECAR_INBOUND',
      at: 'envoy.filters.http.router',
    });
    const applied = await world.apply(patch);
    assert.ok(applied.ok);
    await world.settle();
    assert.deepEqual(namesOf(envoy, 'inbound'), ['lua', 'router']);
    assert.equal(namesOf(envoy, 'outbound-proxy').includes('lua'), false);
    assert.deepEqual(namesOf(sidecar, 'inbound'), ['router']);
    const config = filtersOf(envoy, 'inbound')[0]?.configType?.value ?? assert.fail();
    assert.equal(config.typeUrl, 'type.googleapis.com/xds.type.v3.TypedStruct');
    assert.equal(Buffer.from(fieldOf(config.value, 1)).toString(), lua.typed_config['@type']);
    assert.deepEqual(Struct.unwrap(Struct.decode(fieldOf(config.value, 2))), {
      default_source_code: lua.typed_config.default_source_code,
    });
    await world.delete(patch);
    await world.settle();
    assert.deepEqual(namesOf(envoy, 'inbound'), ['router']);
  });

  it('say where, and in which order', async () => {
    const { world, envoy } = await started();
    const named = (name: string): object => ({ ...lua, name });
    const patches = [
      filter('late', { operation: 'INSERT_FIRST', value: named('late') }, { priority: 5 }),
      filter('early', { operation: 'INSERT_FIRST', value: named('early') }, { priority: -5 }),
      filter('last', { operation: 'ADD', value: named('last') }),
      filter('elsewhere', { operation: 'ADD', value: named('elsewhere'), listener: { portNumber: 9081 } }),
      filter(
        'others',
        { operation: 'ADD', value: named('others') },
        { workloadSelector: { labels: { app: 'b' } } },
      ),
      filter('none', { operation: 'INSERT_AFTER', at: 'none', value: named('none') }),
      filter('untyped', { operation: 'ADD', value: { name: 'untyped' } }),
    ];
    for (const patch of patches) assert.ok((await world.apply(patch)).ok);
    await world.settle();
    assert.deepEqual(namesOf(envoy, 'inbound'), ['late', 'early', 'last', 'router']);
    await world.apply(
      filter('last', { operation: 'REPLACE', at: 'early', value: named('replaced') }, { priority: 9 }),
    );
    await world.apply(filter('late', { operation: 'REMOVE', at: 'router' }));
    await world.settle();
    assert.deepEqual(namesOf(envoy, 'inbound'), ['replaced', 'router']);
  });

  it('change network filters, too', async () => {
    const { world, envoy } = await started();
    const manager = 'envoy.filters.network.http_connection_manager';
    const value = { ...lua, name: 'n' };
    const patch = {
      operation: 'INSERT_BEFORE',
      applyTo: 'NETWORK_FILTER',
      context: 'SIDECAR_INBOUND',
      value,
    };
    await world.apply(filter('n', patch));
    await world.settle();
    const filters = envoy.get(TypeUrl.listener, 'inbound').filterChains[0]?.filters.map(({ name }) => name);
    assert.deepEqual(filters, ['n', manager]);
  });
});
