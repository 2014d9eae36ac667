// JSON to encoded messages, along the descriptors.
import type { Problem, Result } from '@heddle/base';
import { err, nearestName, ok } from '@heddle/base';
import { existingEnum, existingMessage, messageDescriptor, wireTypeOf } from '../descriptors/descriptors.ts';
import type { FieldDescriptor, FieldType, MessageDescriptor } from '../descriptors/descriptors.ts';
import { messageNameOf } from '../type-url.ts';
import { BinaryWriter } from '../wire/binary-writer.ts';
import { JsonPlace, isObject, kindOf } from './json-problems.ts';
import { writeScalar } from './scalars.ts';
import { isWrapper, wellKnown } from './well-known.ts';

const anyName = 'google.protobuf.Any';
const valueName = 'google.protobuf.Value';

/** How deep objects may lie within each other. */
const maxDepth = 100;

/**
 * Encodes a plain value, as JSON or YAML has it, as one of our messages. Names may be written in snake_case or
 * lowerCamelCase. All problems are collected; their paths have the names as they were written.
 */
export function messageFromJson(messageName: string, value: unknown): Result<Uint8Array, Problem[]> {
  const problems: Problem[] = [];
  const place = new JsonPlace('', problems);
  const bytes = encodeMessage(messageName, value, place, 0);
  return problems.some((problem) => problem.severity === 'error') ? err(problems) : ok(bytes);
}

function encodeMessage(name: string, value: unknown, place: JsonPlace, depth: number): Uint8Array {
  const writer = new BinaryWriter();
  writeMessage(writer, name, value, place, depth);
  return writer.finish();
}

/** Writes a message's fields, without its length. */
function writeMessage(
  writer: BinaryWriter,
  name: string,
  value: unknown,
  place: JsonPlace,
  depth: number,
): void {
  if (depth > maxDepth) {
    place.invalid('Objects lie too deep within each other.');
    return;
  }
  const special = wellKnown(name);
  if (special !== undefined) {
    writer.raw(special.fromJson(value, place));
  } else if (isWrapper(name)) {
    writeField(writer, existingMessage(name).fields[0]!.type, 1, value, place, depth);
  } else if (!isObject(value)) {
    place.invalid(`Expected an object and found ${kindOf(value)}.`);
  } else if (name === anyName) {
    writeAny(writer, value, place, depth);
  } else {
    writeFields(writer, existingMessage(name), value, place, depth);
  }
}

function writeFields(
  writer: BinaryWriter,
  descriptor: MessageDescriptor,
  value: Readonly<Record<string, unknown>>,
  place: JsonPlace,
  depth: number,
): void {
  const given = new Map<FieldDescriptor, string>();
  const oneofs = new Map<string, string>();
  for (const [key, member] of Object.entries(value)) {
    const field = descriptor.byName.get(key);
    if (field === undefined) {
      place.unknownField(descriptor, key);
      continue;
    }
    if (member === null && !isValue(field)) continue;
    const twin = given.get(field) ?? (field.oneof === '' ? undefined : oneofs.get(field.oneof));
    if (twin !== undefined) place.at(key).invalid(`Only one of '${twin}' and '${key}' can be set.`);
    given.set(field, key);
    oneofs.set(field.oneof, key);
  }
  for (const field of descriptor.fields) {
    const key = given.get(field);
    if (key !== undefined) writeMember(writer, field, value[key], place.at(key), depth);
  }
}

function isValue(field: FieldDescriptor): boolean {
  return field.type.kind === 'message' && field.type.name === valueName;
}

function writeMember(
  writer: BinaryWriter,
  field: FieldDescriptor,
  value: unknown,
  place: JsonPlace,
  depth: number,
): void {
  if (!field.isRepeated) {
    writeField(writer, field.type, field.number, value, place, depth);
    return;
  }
  const entry = field.type.kind === 'message' ? messageDescriptor(field.type.name) : undefined;
  if (entry?.isMapEntry === true) {
    writeMap(writer, field.number, entry, value, place, depth);
  } else if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      writeField(writer, field.type, field.number, element, place.element(index), depth);
    }
  } else {
    place.invalid(`Expected a list and found ${kindOf(value)}.`);
  }
}

function writeMap(
  writer: BinaryWriter,
  number: number,
  entry: MessageDescriptor,
  value: unknown,
  place: JsonPlace,
  depth: number,
): void {
  if (!isObject(value)) {
    place.invalid(`Expected an object and found ${kindOf(value)}.`);
    return;
  }
  const [keyField, valueField] = [entry.fields[0]!, entry.fields[1]!];
  for (const [key, member] of Object.entries(value)) {
    writer.tag(number, 2).fork();
    writeField(writer, keyField.type, 1, key, place, depth);
    writeField(writer, valueField.type, 2, member, place.element(key), depth);
    writer.join();
  }
}

/** Writes one value with its tag. */
function writeField(
  writer: BinaryWriter,
  type: FieldType,
  number: number,
  value: unknown,
  place: JsonPlace,
  depth: number,
): void {
  writer.tag(number, wireTypeOf(type));
  switch (type.kind) {
    case 'scalar':
      writeScalar(writer, type.name, value, place);
      break;
    case 'enum':
      writer.int32(enumValue(type.name, value, place));
      break;
    case 'message':
      writer.fork();
      writeMessage(writer, type.name, value, place, depth + 1);
      writer.join();
      break;
  }
}

function enumValue(name: string, value: unknown, place: JsonPlace): number {
  const { byName, byNumber } = existingEnum(name);
  if (typeof value === 'number' && byNumber.has(value)) return value;
  const known = typeof value === 'string' ? byName.get(value) : undefined;
  if (known !== undefined) return known;
  const text = typeof value === 'string' || typeof value === 'number' ? `'${value}'` : kindOf(value);
  const nearest = typeof value === 'string' ? nearestName(value, byName.keys()) : undefined;
  place.invalid(
    `${text} is none of ${[...byName.keys()].join(', ')}.`,
    nearest === undefined ? undefined : `Did you mean '${nearest}'?`,
  );
  return 0;
}

function writeAny(
  writer: BinaryWriter,
  value: Readonly<Record<string, unknown>>,
  place: JsonPlace,
  depth: number,
): void {
  const { '@type': typeUrl, ...members } = value;
  if (typeof typeUrl !== 'string') {
    place.invalid("'@type' is missing: it names the type of what follows.");
    return;
  }
  const name = messageNameOf(typeUrl);
  if (messageDescriptor(name) === undefined) {
    place.unknownType(name);
    return;
  }
  const isPlain = wellKnown(name) === undefined && !isWrapper(name);
  writer.tag(1, 2).string(typeUrl).tag(2, 2).fork();
  writeMessage(
    writer,
    name,
    isPlain ? members : members['value'],
    isPlain ? place : place.at('value'),
    depth + 1,
  );
  writer.join();
}
