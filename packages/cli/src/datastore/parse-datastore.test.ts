import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parseDatastore } from './parse-datastore.ts';

test('reads where the configuration is kept', () => {
  assert.deepEqual(parseDatastore('sqlite'), { type: 'sqlite' });
  assert.deepEqual(parseDatastore('memory'), { type: 'memory' });
  assert.deepEqual(parseDatastore('dir:./mesh'), { type: 'directory', path: resolve('mesh') });
  const etcd = { type: 'etcd', prefix: '/heddle', isSecure: false };
  assert.deepEqual(parseDatastore('etcd://127.0.0.1:2379'), { ...etcd, endpoints: ['127.0.0.1:2379'] });
  assert.deepEqual(parseDatastore('etcds://a,b:9,[::1]:2/meshes/one/'), {
    type: 'etcd',
    endpoints: ['a:2379', 'b:9', '[::1]:2'],
    prefix: '/meshes/one',
    isSecure: true,
  });
});

test('says what is wrong with it', () => {
  for (const [input, message] of [
    ['postgres://x', /^'postgres:\/\/x' is no place to keep configuration in: write sqlite, memory, /],
    ['', /is no place/],
    ['dir:', /names no directory/],
    ['etcd://', /is no place/],
    ['etcd://a:0', /^'a:0' is no member of etcd: write HOST:PORT/],
    ['etcd://a,,b', /^'' is no member/],
    ['etcd://user:password@a', /is no place/],
    ['etcd://a?x=1', /is no place/],
  ] as const) {
    assert.throws(() => parseDatastore(input), { message }, input);
  }
});

test('repeats no password', () => {
  for (const [input, shown] of [
    ['etcd://u:secretpw@host', 'etcd://***@host'],
    ['etcd:u:secretpw@host', 'etcd:***@host'],
    ['etcds://u:secret/p@w@host:1/x', 'etcds://***@host:1/x'],
    ['u:secretpw@host', 'u:***@host'],
    ['etcd://host?password=secretpw', 'etcd://host?***'],
    ['etcd://u:secret?p#w@host', 'etcd://***@host'],
  ] as const) {
    assert.throws(
      () => parseDatastore(input),
      ({ message }: Error) => message.startsWith(`'${shown}' is no place`),
      input,
    );
  }
});
