import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { destinationRuleSpec } from './destination-rule.ts';
import { findUnsupported } from './support.ts';
import { virtualServiceSpec } from './virtual-service.ts';

/** Every field of a schema that is not refused by name. */
function implemented(schema: z.core.$ZodType, path: string): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return implemented(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return implemented(schema.element, `${path}[]`);
  if (schema instanceof z.ZodRecord) return implemented(schema.valueType, `${path}{}`);
  if (!(schema instanceof z.ZodObject)) return [path];
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(shape).flatMap(([name, field]) => {
    const isRefused = findUnsupported(field, 'x').length > 0;
    return isRefused ? [] : implemented(field, path === '' ? name : `${path}.${name}`);
  });
}

// A field missing in the schemas' marks would be accepted and ignored. Whoever implements a field adds it here.
test('lets through only the fields that are implemented', () => {
  const texts = (path: string): string[] => [`${path}.exact`, `${path}.prefix`];
  const match = 'http[].match[]';
  assert.deepEqual(
    implemented(virtualServiceSpec, '').toSorted(),
    [
      'exportTo[]',
      'gateways[]',
      'hosts[]',
      'http[].name',
      `${match}.gateways[]`,
      `${match}.ignoreUriCase`,
      `${match}.name`,
      `${match}.port`,
      `${match}.sourceNamespace`,
      ...['authority', 'headers{}', 'method', 'queryParams{}', 'uri', 'withoutHeaders{}'].flatMap((field) =>
        texts(`${match}.${field}`),
      ),
      'http[].route[].destination.host',
      'http[].route[].destination.port.number',
      'http[].route[].destination.subset',
      'http[].route[].weight',
      'http[].timeout',
    ].toSorted(),
  );
  assert.deepEqual(implemented(destinationRuleSpec, '').toSorted(), [
    'exportTo[]',
    'host',
    'subsets[].labels{}',
    'subsets[].name',
    'subsets[].trafficPolicy.loadBalancer.simple',
    'subsets[].trafficPolicy.tls.mode',
    'trafficPolicy.loadBalancer.simple',
    'trafficPolicy.tls.mode',
  ]);
});
