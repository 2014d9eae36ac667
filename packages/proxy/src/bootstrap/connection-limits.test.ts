import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bootstrap } from '@heddle/xds/api/envoy/config/bootstrap/v3/bootstrap.ts';
import { readBootstrap } from './bootstrap.ts';

const listener = { name: 'a', address: { socket_address: { address: '127.0.0.1', port_value: 1 } } };
const monitorType =
  'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig';

function monitor(max: number): object {
  const config = { '@type': monitorType, max_active_downstream_connections: max };
  return { name: 'envoy.resource_monitors.global_downstream_max_connections', typed_config: config };
}

function layers(...values: readonly object[]): object {
  return { layers: values.map((value, index) => ({ name: `layer ${index}`, static_layer: value })) };
}

/** What is read of a file with these members; its limits, or its problems as `path: message`. */
function read(members: object): unknown {
  const value = { static_resources: { listeners: [listener] }, ...members };
  const config = readBootstrap({ file: 'test', value, locate: () => null });
  if (!config.ok) return config.error.map(({ path, message }) => `${path}: ${message}`);
  assert.ok(Bootstrap.decode(config.value.bootstrap).staticResources !== undefined);
  const { total, byListener } = config.value.limits;
  return { total, ...Object.fromEntries(byListener) };
}

test('limits come from the overload manager, or from the runtime', () => {
  assert.deepEqual(read({}), { total: null });
  assert.deepEqual(read({ overload_manager: { refresh_interval: '1s', resource_monitors: [monitor(7)] } }), {
    total: 7,
  });
  const nested = { overload: { global_downstream_max_connections: 5 } };
  assert.deepEqual(read({ layered_runtime: layers(nested) }), { total: 5 });
  assert.deepEqual(read({ layered_runtime: layers({ 'overload.global_downstream_max_connections': '6' }) }), {
    total: 6,
  });
  const both = { overload_manager: { resource_monitors: [monitor(7)] }, layered_runtime: layers(nested) };
  assert.deepEqual(read(both), { total: 7 });
});

test('later layers win, and listeners have limits by their names, dots and all', () => {
  const runtime = layers(
    { 'envoy.resource_limits.listener.a.connection_limit': 1, 're2.max_program_size.error_level': 9 },
    {
      envoy: {
        resource_limits: { listener: { a: { connection_limit: 2 }, 'b.c': { connection_limit: 0 } } },
      },
    },
  );
  assert.deepEqual(read({ layered_runtime: runtime }), { total: null, a: 2, 'b.c': 0 });
  const admin = { layers: [{ name: 'admin', admin_layer: {} }] };
  assert.deepEqual(read({ layered_runtime: admin }), { total: null });
});

test('what is no limit is refused, and so are other keys, layers and monitors', () => {
  const path = 'layered_runtime.layers[0].static_layer';
  const limit = (value: unknown): unknown =>
    read({ layered_runtime: layers({ overload: { global_downstream_max_connections: value } }) });
  const place = `${path}.overload.global_downstream_max_connections`;
  assert.deepEqual(limit('many'), [`${place}: "many" is not a number of connections`]);
  assert.deepEqual(limit(-1), [`${place}: "-1" is not a number of connections`]);
  assert.deepEqual(limit(['x']), [`${place}: must be a number, a text or true or false`]);
  assert.deepEqual(read({ layered_runtime: layers({ 'envoy.reloadable_features.some': true }) }), [
    `${path}.envoy.reloadable_features.some: the runtime key is not supported yet`,
  ]);
  assert.deepEqual(read({ overload_manager: { resource_monitors: [monitor(0)] } }), [
    'overload_manager.resource_monitors[0].typed_config.max_active_downstream_connections: must be at least 1',
  ]);
  assert.deepEqual(read({ overload_manager: { resource_monitors: [monitor(1), monitor(2)] } }), [
    'overload_manager.resource_monitors[1]: there is another one of its kind',
  ]);
  for (const members of [
    { overload_manager: { resource_monitors: [monitor(1)], actions: [{ name: 'stop' }] } },
    { layered_runtime: { layers: [{ name: 'disk', disk_layer: { symlink_root: '/x' } }] } },
  ]) {
    const [problem] = read(members) as string[];
    assert.match(problem!, /not supported/);
  }
});
