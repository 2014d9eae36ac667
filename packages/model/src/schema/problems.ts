// What a schema finds wrong, as sentences for the person who wrote it.
import { nearestName } from '@heddle/base';
import { z } from 'zod';
import type { Path } from '../source/place.ts';

/** One thing wrong with an object's content, before its place in a file is looked up. */
export interface Flaw {
  readonly code: string;
  readonly path: Path;
  /** Points at the field's name instead of its value. */
  readonly at?: 'key';
  readonly message: string;
  readonly hint?: string;
}

/** Everything in `value` that does not fit `schema`. Paths are relative to `base`. */
export function findSchemaFlaws(schema: z.ZodType, value: unknown, base: Path): Flaw[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => describe(schema, value, issue, base));
}

function describe(schema: z.ZodType, root: unknown, issue: z.core.$ZodIssue, base: Path): Flaw[] {
  const steps = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const path = [...base, ...steps];
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(schema, steps);
    return issue.keys.map((key) => unknownField(key, [...path, key], known));
  }
  const value = valueAt(root, steps);
  const name = path.findLast((step) => typeof step === 'string') ?? 'the value';
  const subject = typeof path.at(-1) === 'number' ? `each of ${name}` : name;
  if (value === undefined) return [{ code: 'HEDDLE_MISSING_FIELD', path, message: `${subject} is required` }];
  if (value === null) {
    const hint = 'give it one or remove the field';
    return [{ code: 'HEDDLE_WRONG_TYPE', path, message: `${subject} has no value`, hint }];
  }
  if (issue.code === 'invalid_type') {
    // A schema of whole numbers asks for a number first.
    const isWhole = schemaAt(schema, steps) instanceof z.ZodNumberFormat;
    const expected = isWhole ? 'a whole number' : (typeNames[issue.expected] ?? issue.expected);
    return [
      { code: 'HEDDLE_WRONG_TYPE', path, message: `${subject} must be ${expected}, got ${show(value)}` },
    ];
  }
  const isAboutPresence = issue.code === 'custom' && issue.params?.['isAboutPresence'] === true;
  const message = `${subject} ${rule(issue)}${isAboutPresence ? '' : `, got ${show(value)}`}`;
  const isChoice = issue.code === 'invalid_value' && typeof value === 'string';
  const near = isChoice ? nearestName(value, issue.values.map(String)) : undefined;
  const hint = near === undefined ? {} : { hint: `did you mean '${near}'?` };
  return [{ code: 'HEDDLE_INVALID_VALUE', path, message, ...hint }];
}

/** What a value must be, to be read after the field's name. */
function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'string')
        return issue.minimum === 1 ? 'must not be empty' : `needs ${issue.minimum} characters`;
      return issue.origin === 'array' ? `needs ${issue.minimum} items` : `must be at least ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string') return `may have ${issue.maximum} characters at most`;
      return issue.origin === 'array'
        ? `may have ${issue.maximum} items at most`
        : `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'invalid_format':
      return issue.format === 'regex' ? issue.message : `must be ${issue.format}`;
    default:
      return issue.message;
  }
}

/** Refuses a field nobody knows, naming the one that was most likely meant. */
export function unknownField(key: string, path: Path, known: readonly string[]): Flaw {
  const near = nearestName(key, known);
  return {
    code: 'HEDDLE_UNKNOWN_FIELD',
    path,
    at: 'key',
    message: `unknown field '${key}'`,
    hint: near === undefined ? `known here: ${known.join(', ')}` : `did you mean '${near}'?`,
  };
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** Describes a wrong value by its type, with its text where that is short. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  return String(value);
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The field names that the schema knows at a path. */
function knownFields(schema: z.core.$ZodType, path: Path): string[] {
  const found = schemaAt(schema, path);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

/** The schema of the value at a path; undefined where the path leads out of it. */
function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return schemaAt(schema.unwrap(), path);
  const [step, ...rest] = path;
  if (step === undefined) return schema;
  if (schema instanceof z.ZodArray) return schemaAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return schemaAt(schema.valueType, rest);
  if (!(schema instanceof z.ZodObject)) return undefined;
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const field = shape[String(step)];
  return field === undefined ? undefined : schemaAt(field, rest);
}
