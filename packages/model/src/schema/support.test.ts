import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { destinationRuleSpec } from './destination-rule.ts';
import { findUnsupported } from './support.ts';
import { virtualServiceSpec } from './virtual-service.ts';

/** Every field of a schema that is marked as without effect. */
function marked(schema: z.core.$ZodType, path: string): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return marked(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return marked(schema.element, `${path}[]`);
  if (schema instanceof z.ZodRecord) return marked(schema.valueType, `${path}{}`);
  if (!(schema instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(shape).flatMap(([name, field]) => {
    const place = path === '' ? name : `${path}.${name}`;
    return findUnsupported(field, 'x').length > 0 ? [place] : marked(field, place);
  });
}

// A field that is neither compiled nor marked would be accepted and ignored. Whoever implements one takes it out here.
test('marks the fields that are not implemented', () => {
  assert.deepEqual(marked(virtualServiceSpec, ''), [
    'http[].match[].statPrefix',
    'http[].retries.retryRemoteLocalities',
    'http[].fault.delay.exponentialDelay',
    'http[].fault.abort.http2Error',
    'tls',
    'tcp',
  ]);
  const loadBalancer = [
    'consistentHash',
    'localityLbSetting',
    'zoneAwareLbSetting',
    'warmupDurationSecs',
    'warmup',
  ].map((field) => `loadBalancer.${field}`);
  const connectionPool = [
    'tcp.tcpKeepalive.probes',
    'tcp.tcpKeepalive.interval',
    'tcp.idleTimeout',
    'http.h2UpgradePolicy',
    'http.useClientProtocol',
  ].map((field) => `connectionPool.${field}`);
  const tls = ['caCrl', 'credentialName', 'insecureSkipVerify'].map((field) => `tls.${field}`);
  const shared = [...loadBalancer, ...connectionPool, 'outlierDetection', ...tls];
  const policy = (path: string): string[] =>
    [
      ...shared,
      ...shared.map((field) => `portLevelSettings[].${field}`),
      'tunnel',
      'proxyProtocol',
      'retryBudget.budgetInterval',
    ].map((field) => `${path}.${field}`);
  assert.deepEqual(marked(destinationRuleSpec, ''), [
    ...policy('trafficPolicy'),
    ...policy('subsets[].trafficPolicy'),
    'workloadSelector',
  ]);
});
