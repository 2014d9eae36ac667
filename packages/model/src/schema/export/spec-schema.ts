// The schemas of this package as JSON Schema, with their rules beside.
import { z } from 'zod';
import type { KindInfo } from '../../kinds/kinds.ts';
import { celOf, exclusiveFieldsOf } from '../rules.ts';
import { schemaOf } from '../schema-of.ts';
import { unsupportedFeature } from '../support.ts';

/** JSON Schema, draft 2020-12. Rules in CEL stand in `x-kubernetes-validations`. */
export type JsonSchema = Record<string, unknown>;

/** A rule as Kubernetes has it. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

interface Check {
  readonly check: object;
  readonly def: { readonly fn?: object; readonly error?: (issue: object) => unknown };
}

/** What an object of a kind says, below `spec` or beside `metadata`. */
export function specSchema(info: KindInfo): JsonSchema {
  const { $schema: _draft, ...schema } = z.toJSONSchema(schemaOf(info), {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => decorate(zodSchema, jsonSchema as JsonSchema),
  }) as JsonSchema;
  return schema;
}

/** Adds what zod does not know how to say. */
function decorate(zodSchema: z.core.$ZodType, schema: JsonSchema): void {
  const feature = unsupportedFeature(zodSchema);
  if (feature !== undefined)
    describe(schema, `Stored, but without effect: Heddle does not support ${feature} yet.`);
  const checks = (zodSchema._zod.def as unknown as { checks?: readonly { _zod: Check }[] }).checks ?? [];
  for (const { _zod: check } of checks) addRule(schema, check);
  // Whole numbers need no bounds that only JavaScript has.
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
}

function addRule(schema: JsonSchema, { check, def }: Check): void {
  const rule = def.fn ?? check;
  const names = exclusiveFieldsOf(rule) ?? [];
  const pairs = names.flatMap((a, index) =>
    names.slice(index + 1).map((b) => ({ not: { required: [a, b] } })),
  );
  if (pairs.length > 0) schema['allOf'] = [...((schema['allOf'] as object[] | undefined) ?? []), ...pairs];
  const text = typeof def.error === 'function' ? def.error({}) : undefined;
  const message =
    typeof text === 'string' ? text : names.length > 0 ? `only one of ${names.join(', ')} may be set` : '';
  const cel = celOf(rule);
  if (cel !== undefined) {
    const rules = (schema['x-kubernetes-validations'] as CelRule[] | undefined) ?? [];
    schema['x-kubernetes-validations'] = [...rules, { rule: cel, message }];
  } else if (message !== '' && def.fn !== undefined) describe(schema, `Refused with "${message}".`);
}

function describe(schema: JsonSchema, text: string): void {
  const before = schema['description'];
  schema['description'] = typeof before === 'string' ? `${before} ${text}` : text;
}

/** A schema with each of its parts, from the inside out, put in the place of what `change` makes of it. */
export function mapSchema(schema: JsonSchema, change: (part: JsonSchema) => JsonSchema): JsonSchema {
  const map = (part: unknown): unknown =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? mapSchema(part as JsonSchema, change)
      : part;
  const mapped: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties')
      mapped[key] = Object.fromEntries(
        Object.entries(value as object).map(([name, part]) => [name, map(part)]),
      );
    else if (key === 'items' || key === 'additionalProperties' || key === 'propertyNames' || key === 'not')
      mapped[key] = map(value);
    else if (key === 'anyOf' || key === 'allOf' || key === 'oneOf')
      mapped[key] = (value as unknown[]).map(map);
    else mapped[key] = value;
  }
  return change(mapped);
}
