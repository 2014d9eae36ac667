import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunFlags } from '../commands/run.ts';
import { workloadOptions } from './run.ts';

const flags: RunFlags = {
  service: 'a',
  port: 80,
  version: '',
  protocol: 'http',
  namespace: 'default',
  proxy: 'heddle',
  interceptRules: 'write',
  concurrency: 1,
  stopTimeout: 1000,
  store: '.',
};

test('what a data plane that is not Heddle’s can’t do is refused by its flag', async () => {
  const refused: readonly [Partial<RunFlags>, RegExp][] = [
    [{ envoy: '/envoy' }, /--envoy is for --proxy envoy only/],
    [{ proxy: 'envoy', intercept: 'redirect' }, /--intercept needs Heddle's sidecar/],
    [{ proxy: 'grpc', expose: '8080' }, /--expose is a proxy's affair/],
    [{ proxy: 'grpc', accessLog: '-' }, /--access-log is a proxy's affair/],
    [{ proxy: 'grpc', inboundPort: 9000 }, /--inbound-port is a proxy's affair/],
    [{ proxy: 'grpc', protocol: 'tcp' }, /--proxy grpc speaks gRPC, not --protocol tcp/],
  ];
  for (const [changes, reason] of refused)
    await assert.rejects(workloadOptions({ ...flags, ...changes }, ['a']), reason);
  const { protocol } = await workloadOptions({ ...flags, proxy: 'grpc' }, ['a']);
  assert.equal(protocol, 'grpc');
  assert.equal((await workloadOptions({ ...flags, proxy: 'envoy', expose: '8080' }, ['a'])).protocol, 'http');
});
