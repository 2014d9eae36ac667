// Which fields that Istio knows Heddle does not implement yet. They are marked in the schemas, so that a field is either
// implemented, stored with a warning that says that it has no effect, or unknown: never ignored in silence.
import { z } from 'zod';
import type { Path } from '../source/place.ts';

interface Support {
  /** What the field would do, as in "retries of failed requests"; absent where its name says it. */
  readonly notYet?: string;
  /** The only values of the field that Heddle implements. */
  readonly only?: readonly string[];
}

const support = z.registry<Support>();

function mark<T extends z.ZodType>(schema: T, meta: Support): T {
  support.add(schema, meta);
  return schema;
}

/** Marks a field as known to Istio and not implemented. `feature` completes "Heddle does not support … yet". */
export function notYet<T extends z.ZodType>(feature: string, schema: T): z.ZodOptional<T> {
  return mark(schema.optional(), { notYet: feature });
}

/** Marks a field of which only some values are implemented. */
export function onlyValues<T extends z.ZodType>(values: readonly string[], schema: T): z.ZodOptional<T> {
  return mark(schema.optional(), { only: values });
}

/** What a marked field would do; undefined of others. */
export function unsupportedFeature(schema: z.core.$ZodType): string | undefined {
  return support.get(schema)?.notYet;
}

/** A field in use that is marked. */
export interface Unsupported {
  readonly path: Path;
  readonly message: string;
  readonly hint?: string;
}

/** Finds the marked fields that `value` uses. Looks at what fits the schema and passes over the rest: that has other problems. */
export function findUnsupported(schema: z.core.$ZodType, value: unknown, path: Path = []): Unsupported[] {
  if (value === undefined || value === null) return [];
  const marked = support.get(schema);
  if (marked?.notYet !== undefined) {
    return [{ path, message: `stored, but without effect: Heddle does not support ${marked.notYet} yet` }];
  }
  // What the schema does not know at all has a problem of its own.
  const isKnown = typeof value === 'string' && z.safeParse(schema, value).success;
  if (marked?.only !== undefined && isKnown && !marked.only.includes(value)) {
    const message = `stored, but without effect: Heddle does not support the value '${value}' yet`;
    return [{ path, message, hint: `supported are ${marked.only.join(', ')}` }];
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return findUnsupported(schema.unwrap(), value, path);
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => findUnsupported(schema.element, item, [...path, index]));
  }
  if (typeof value !== 'object' || Array.isArray(value)) return [];
  if (schema instanceof z.ZodRecord) {
    return Object.entries(value).flatMap(([key, item]) =>
      findUnsupported(schema.valueType, item, [...path, key]),
    );
  }
  if (!(schema instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(value).flatMap(([key, item]) => {
    const field = Object.hasOwn(shape, key) ? shape[key] : undefined;
    return field === undefined ? [] : findUnsupported(field, item, [...path, key]);
  });
}
