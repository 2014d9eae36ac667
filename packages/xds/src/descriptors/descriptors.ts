// Our messages as data, for what has to walk any of them: JSON, and naming what is not supported. Read from disk when the
// first one is asked for, because a sidecar whose configuration is in order needs none of it.
import { readFileSync } from 'node:fs';

/** The scalar types of protobuf by their names in .proto files. */
export type ScalarType =
  | 'double' | 'float' | 'int32' | 'uint32' | 'sint32' | 'fixed32' | 'sfixed32' | 'bool' | 'string' | 'bytes'
  | 'int64' | 'uint64' | 'sint64' | 'fixed64' | 'sfixed64'; // prettier-ignore

export type FieldType =
  | { readonly kind: 'scalar'; readonly name: ScalarType }
  | { readonly kind: 'message'; readonly name: string }
  | { readonly kind: 'enum'; readonly name: string };

export interface FieldDescriptor {
  readonly number: number;
  readonly name: string;
  /** The name in lowerCamelCase, which JSON may use as well. */
  readonly jsonName: string;
  readonly type: FieldType;
  readonly isRepeated: boolean;
  /** The oneof it belongs to; empty for none. */
  readonly oneof: string;
}

export interface MessageDescriptor {
  readonly name: string;
  /** Whether it is the entry of a map: field 1 is the key and field 2 the value. */
  readonly isMapEntry: boolean;
  readonly fields: readonly FieldDescriptor[];
  readonly byNumber: ReadonlyMap<number, FieldDescriptor>;
  /** By the name in .proto files and by the one in lowerCamelCase. */
  readonly byName: ReadonlyMap<string, FieldDescriptor>;
}

export interface EnumDescriptor {
  readonly byName: ReadonlyMap<string, number>;
  readonly byNumber: ReadonlyMap<number, string>;
}

/** The file's content: of messages `map` or nothing and then one text per field. */
interface Table {
  readonly messages: Readonly<Record<string, readonly string[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

let table: Table | null = null;
const messages = new Map<string, MessageDescriptor>();
const enums = new Map<string, EnumDescriptor>();

function load(): Table {
  // Written by our own generator.
  table ??= JSON.parse(
    readFileSync(new URL('../generated/descriptors.json', import.meta.url), 'utf8'),
  ) as Table;
  return table;
}

/** The descriptor of one of our messages by its full name; undefined where we have none of this name. */
export function messageDescriptor(name: string): MessageDescriptor | undefined {
  const known = messages.get(name);
  if (known !== undefined) return known;
  const lines = Object.hasOwn(load().messages, name) ? load().messages[name] : undefined;
  if (lines === undefined) return undefined;
  const fields = lines.slice(1).map(parseField);
  const descriptor: MessageDescriptor = {
    name,
    isMapEntry: lines[0] === 'map',
    fields,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: new Map(
      fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field] as const]),
    ),
  };
  messages.set(name, descriptor);
  return descriptor;
}

/** The descriptor of a message that is known to exist: one that another descriptor names. */
export function existingMessage(name: string): MessageDescriptor {
  const descriptor = messageDescriptor(name);
  if (descriptor === undefined) throw new Error(`There is no message '${name}'.`);
  return descriptor;
}

/** The descriptor of an enum that a field names. */
export function existingEnum(name: string): EnumDescriptor {
  const known = enums.get(name);
  if (known !== undefined) return known;
  const values = load().enums[name];
  if (values === undefined) throw new Error(`There is no enum '${name}'.`);
  const byName = new Map(Object.entries(values));
  const descriptor = { byName, byNumber: new Map([...byName].map(([text, value]) => [value, text])) };
  enums.set(name, descriptor);
  return descriptor;
}

function parseField(line: string): FieldDescriptor {
  const [number = '', name = '', label, type = '', oneof = ''] = line.split(' ');
  return {
    number: Number(number),
    name,
    jsonName: name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase()),
    type: parseType(type),
    isRepeated: label === 'r',
    oneof,
  };
}

function parseType(text: string): FieldType {
  if (text.startsWith('m:')) return { kind: 'message', name: text.slice(2) };
  if (text.startsWith('e:')) return { kind: 'enum', name: text.slice(2) };
  // The table holds no other names.
  return { kind: 'scalar', name: text as ScalarType };
}

const wireTypes: Readonly<Record<ScalarType, number>> = {
  double: 1,
  float: 5,
  int32: 0,
  uint32: 0,
  sint32: 0,
  fixed32: 5,
  sfixed32: 5,
  bool: 0,
  string: 2,
  bytes: 2,
  int64: 0,
  uint64: 0,
  sint64: 0,
  fixed64: 1,
  sfixed64: 1,
};

/** The wire type of a field's values, packed ones apart. */
export function wireTypeOf(type: FieldType): number {
  if (type.kind === 'scalar') return wireTypes[type.name];
  return type.kind === 'message' ? 2 : 0;
}
