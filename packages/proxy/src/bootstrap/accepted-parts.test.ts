import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutEmptyParts } from './accepted-parts.ts';

test('leaves out what says nothing', () => {
  assert.deepEqual(
    withoutEmptyParts({
      admin: {},
      cluster_manager: { outlier_detection: {} },
      overload_manager: {},
      tracing: null,
      stats_sinks: [],
      use_tcp_for_dns_lookups: false,
      header_prefix: '',
    }),
    { admin: {} },
  );
});

test('leaves in what says anything, to be refused by its name', () => {
  const value = {
    layered_runtime: { layers: [{ name: 'static', static_layer: { limit: 0 } }] },
    overload_manager: { refresh_interval: '1s' },
    nobody_knows: 1,
  };
  assert.deepEqual(withoutEmptyParts(value), value);
});

test("leaves out the admin interface's access logs to nowhere, and no others", () => {
  const file = (path: string) => ({ name: 'file', typed_config: { '@type': 't', path } });
  const admin = (more: object) => withoutEmptyParts({ admin: { address: 'a', ...more } });
  assert.deepEqual(admin({ access_log_path: '/dev/null' }), { admin: { address: 'a' } });
  assert.deepEqual(admin({ access_log: [file('/dev/null')] }), { admin: { address: 'a' } });
  const kept = { access_log: [file('/dev/null'), file('/var/log/admin')] };
  assert.deepEqual(admin(kept), { admin: { address: 'a', ...kept } });
});
