import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applicationEnvironment,
  extendNoProxy,
  sidecarEnvironment,
  templateValues,
  upstreamVariable,
} from './environment.ts';

const addresses = {
  appPort: 20_001,
  outboundProxy: { address: '127.0.0.1', port: 20_002 },
  upstreams: [{ name: 'user-store.prod', host: 'x', port: 80, bind: { address: '127.0.0.1', port: 20_003 } }],
};

test('names variables after upstreams', () => {
  assert.equal(upstreamVariable('ratings'), 'RATINGS_URL');
  assert.equal(upstreamVariable('user-store.prod'), 'USER_STORE_PROD_URL');
  const environment = applicationEnvironment({}, addresses);
  assert.equal(environment['USER_STORE_PROD_URL'], 'http://127.0.0.1:20003');
  assert.equal(environment['USER_STORE_PROD_ADDRESS'], '127.0.0.1:20003');
});

test('has host and port of an upstream together and the port alone, unless that is the name of another', () => {
  const other = { name: 'a-port', host: 'y', port: 80, bind: { address: '127.0.0.1', port: 20_005 } };
  const upstream = { name: 'a', host: 'x', port: 80, bind: { address: '127.0.0.1', port: 20_004 } };
  const values = templateValues({ ...addresses, upstreams: [upstream, other] });
  assert.equal(values.get('a'), '127.0.0.1:20004');
  assert.equal(values.get('a-port'), '127.0.0.1:20005');
  assert.equal(values.get('a-port-port'), '20005');
  assert.equal(templateValues({ ...addresses, upstreams: [upstream] }).get('a-port'), '20004');
});

test('keeps the hosts that were not proxied before', () => {
  assert.equal(extendNoProxy(undefined), 'localhost,127.0.0.1,::1');
  assert.equal(extendNoProxy('.corp, localhost'), '.corp,localhost,127.0.0.1,::1');
  assert.equal(extendNoProxy('*'), '*');
});

test('leaves the proxy for HTTPS and everything else as it is', () => {
  const environment = applicationEnvironment({ HTTPS_PROXY: 'http://corp:3128', LANG: 'C' }, addresses);
  assert.equal(environment['HTTPS_PROXY'], 'http://corp:3128');
  assert.equal(environment['LANG'], 'C');
});

test('takes away the compile cache that the launcher turned on, and only that', () => {
  const own = { NODE_COMPILE_CACHE: '/a', NODE_COMPILE_CACHE_PORTABLE: '1', HEDDLE_COMPILE_CACHE: '1' };
  const ours = applicationEnvironment(own, addresses);
  assert.equal(ours['NODE_COMPILE_CACHE'], undefined);
  assert.equal(ours['NODE_COMPILE_CACHE_PORTABLE'], undefined);
  assert.equal(ours['HEDDLE_COMPILE_CACHE'], undefined);
  assert.equal(applicationEnvironment({ NODE_COMPILE_CACHE: '/a' }, addresses)['NODE_COMPILE_CACHE'], '/a');
});

test('takes away what else the launcher set for itself, and only that', () => {
  const own = { MALLOC_ARENA_MAX: '2', HEDDLE_MALLOC: '1', HEDDLE_LAUNCHER: '/bin/heddle' };
  const ours = applicationEnvironment(own, addresses);
  for (const name of Object.keys(own)) assert.equal(ours[name], undefined, name);
  assert.equal(applicationEnvironment({ MALLOC_ARENA_MAX: '4' }, addresses)['MALLOC_ARENA_MAX'], '4');
});

test('a sidecar gets nothing that it would only hold in memory, and no token', () => {
  const cache = { NODE_COMPILE_CACHE: '/a', NODE_COMPILE_CACHE_PORTABLE: '1' };
  const own = { ...cache, HEDDLE_COMPILE_CACHE: '1' };
  const other = { HEDDLE_TOKEN: 'secret', NODE_EXTRA_CA_CERTS: '/roots.pem', LANG: 'C' };
  const built = sidecarEnvironment({ ...own, ...other }, '/dist/sidecar.js');
  assert.deepEqual(built, { HEDDLE_COMPILE_CACHE: '1', LANG: 'C' });
  const checkout = sidecarEnvironment({ ...own, ...other }, '/src/main.ts');
  assert.deepEqual(checkout, { ...own, LANG: 'C' }, 'types are taken out at each start');
  assert.deepEqual(sidecarEnvironment(cache, '/dist/sidecar.js'), cache, 'what a user set stays');
});

test('gives an application that is its own proxy its bootstrap and targets, and no proxy', () => {
  const grpc = { ...addresses, grpcBootstrap: '/state/grpc-bootstrap.json' };
  const environment = applicationEnvironment({}, grpc);
  assert.deepEqual(environment, {
    PORT: '20001',
    GRPC_XDS_BOOTSTRAP: '/state/grpc-bootstrap.json',
    GRPC_XDS_EXPERIMENTAL_RBAC: 'true',
    USER_STORE_PROD_ADDRESS: 'xds:///x:80',
  });
  const values = templateValues(grpc);
  assert.equal(values.get('user-store.prod'), 'xds:///x:80');
  assert.equal(values.get('user-store.prod-port'), '80');
});
