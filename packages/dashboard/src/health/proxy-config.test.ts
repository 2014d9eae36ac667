import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProxySummary } from '../generated/api.ts';
import { judgeProxyConfig } from './proxy-config.ts';

const proxy: ProxySummary = {
  id: 'sidecar~a~b.c~c.svc.cluster.local',
  instance: 'a',
  namespace: 'c',
  service: 'b',
  version: '',
  identity: 'spiffe://cluster.local/ns/c/sa/b',
  remoteAddress: '127.0.0.1:40000',
  connectedAt: 0,
  certificateNotAfter: 0,
  types: { cds: { sent: 1, acknowledged: 1, synced: true }, eds: { sent: 2, acknowledged: 2, synced: true } },
  rejected: [],
};

test('calls a proxy synced once every type it asked for is', () => {
  assert.equal(judgeProxyConfig(proxy), 'synced');
  const waiting = { ...proxy.types, rds: { sent: 1, acknowledged: 0, synced: false } };
  assert.equal(judgeProxyConfig({ ...proxy, types: waiting }), 'pending');
});

test('calls a proxy that has asked for nothing yet pending', () => {
  assert.equal(judgeProxyConfig({ ...proxy, types: {} }), 'pending');
});

test('lets a refusal win', () => {
  const rejected = [{ type: 'rds' as const, name: 'http-proxy|c', reason: 'unknown cluster', at: 0 }];
  assert.equal(judgeProxyConfig({ ...proxy, rejected }), 'rejected');
});
