/**
 * Judges values by JSON Schema (draft 2020-12), as far as our schemas use it: an unknown keyword is an error, so that nothing is
 * taken for checked that isn't.
 */

type Schema = Readonly<Record<string, unknown>>;
type Check = (argument: never, value: unknown, schema: Schema, root: Schema) => boolean;

/** Keywords that judge nothing. */
const annotations = new Set([
  '$schema',
  '$defs',
  'title',
  'description',
  'format',
  'contentEncoding',
  'default',
]);

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fits = (schema: unknown, value: unknown, root: Schema): boolean =>
  typeof schema === 'boolean' ? schema : firstFlaw(schema as Schema, value, root) === null;

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isMapping(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

const checks: Readonly<Record<string, Check>> = {
  type: (type: string | string[], value) => [type].flat().some((one) => isOfType(one, value)),
  enum: (values: unknown[], value) => values.includes(value),
  const: (only: unknown, value) => value === only,
  minimum: (least: number, value) => typeof value !== 'number' || value >= least,
  maximum: (most: number, value) => typeof value !== 'number' || value <= most,
  exclusiveMinimum: (bound: number, value) => typeof value !== 'number' || value > bound,
  exclusiveMaximum: (bound: number, value) => typeof value !== 'number' || value < bound,
  minLength: (least: number, value) => typeof value !== 'string' || Array.from(value).length >= least,
  maxLength: (most: number, value) => typeof value !== 'string' || Array.from(value).length <= most,
  pattern: (text: string, value) => typeof value !== 'string' || new RegExp(text, 'u').test(value),
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most: number, value) => !Array.isArray(value) || value.length <= most,
  items: (schema: Schema, value, _own, root) =>
    !Array.isArray(value) || value.every((item) => fits(schema, item, root)),
  required: (names: string[], value) =>
    !isMapping(value) || names.every((name) => Object.hasOwn(value, name)),
  properties: (schemas: Record<string, Schema>, value, _own, root) =>
    !isMapping(value) ||
    Object.entries(schemas).every(
      ([name, schema]) => !Object.hasOwn(value, name) || fits(schema, value[name], root),
    ),
  additionalProperties: (schema: unknown, value, own, root) =>
    !isMapping(value) ||
    Object.entries(value).every(
      ([name, item]) => Object.hasOwn(own['properties'] ?? {}, name) || fits(schema, item, root),
    ),
  propertyNames: (schema: Schema, value, _own, root) =>
    !isMapping(value) || Object.keys(value).every((name) => fits(schema, name, root)),
  allOf: (schemas: Schema[], value, _own, root) => schemas.every((schema) => fits(schema, value, root)),
  anyOf: (schemas: Schema[], value, _own, root) => schemas.some((schema) => fits(schema, value, root)),
  oneOf: (schemas: Schema[], value, _own, root) =>
    schemas.filter((schema) => fits(schema, value, root)).length === 1,
  not: (schema: Schema, value, _own, root) => !fits(schema, value, root),
  $ref: (pointer: string, value, _own, root) => {
    const steps = pointer.replace(/^#\//, '').split('/');
    const target = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], root);
    if (target === undefined) throw new Error(`there is nothing at ${pointer}`);
    return fits(target, value, root);
  },
};

/** The first keyword by which a value is refused, with what it says; null where it is none. `root` is where `$ref`s lead. */
export function firstFlaw(schema: Schema, value: unknown, root: Schema = schema): string | null {
  for (const [keyword, argument] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue;
    const check = checks[keyword];
    if (check === undefined) throw new Error(`the keyword ${keyword} is not known here`);
    if (!check(argument as never, value, schema, root))
      return `${keyword} ${JSON.stringify(argument).slice(0, 200)} refuses ${JSON.stringify(value)?.slice(0, 200)}`;
  }
  return null;
}
