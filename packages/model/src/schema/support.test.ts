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
    'http[].fault',
    'http[].corsPolicy',
    'tls',
    'tcp',
  ]);
  const policy = (path: string): string[] => [
    ...[
      'loadBalancer.consistentHash',
      'loadBalancer.localityLbSetting',
      'loadBalancer.zoneAwareLbSetting',
      'loadBalancer.warmupDurationSecs',
      'loadBalancer.warmup',
      'connectionPool',
      'outlierDetection',
      'tls.clientCertificate',
      'tls.privateKey',
      'tls.caCertificates',
      'tls.caCrl',
      'tls.credentialName',
      'tls.subjectAltNames',
      'tls.sni',
      'tls.insecureSkipVerify',
      'portLevelSettings',
      'tunnel',
      'proxyProtocol',
      'retryBudget',
    ].map((field) => `${path}.${field}`),
  ];
  assert.deepEqual(marked(destinationRuleSpec, ''), [
    ...policy('trafficPolicy'),
    ...policy('subsets[].trafficPolicy'),
    'workloadSelector',
  ]);
});
