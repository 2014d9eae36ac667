// Names what a message holds that we don't support: walks the encoded bytes, because only they hold unknown fields with
// their places.
import type { Problem } from '@heddle/base';
import { errorMessage } from '@heddle/base';
import { isAcceptedWithoutEffect } from '../descriptors/accepted-fields.ts';
import { existingMessage, messageDescriptor, wireTypeOf } from '../descriptors/descriptors.ts';
import type { FieldDescriptor, MessageDescriptor } from '../descriptors/descriptors.ts';
import { envoyFieldNames, isEnvoyMessage } from '../descriptors/envoy-names.ts';
import { hintFor } from '../descriptors/field-hints.ts';
import { messageNameOf } from '../type-url.ts';
import { BinaryReader } from '../wire/binary-reader.ts';

const anyName = 'google.protobuf.Any';
const httpFilterName = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter';
/** How deep messages in an `Any` may lie within each other. Envoy's own lie three deep. */
export const maxAnyNesting = 16;

const metadataName = 'envoy.config.core.v3.Metadata';

/** Finds the unsupported fields and types in an encoded message, those in messages within it included. */
export function findUnsupportedFields(messageName: string, bytes: Uint8Array): Problem[] {
  const problems: Problem[] = [];
  const descriptor = messageDescriptor(messageName);
  if (descriptor === undefined) return [unsupportedType(messageName, '')];
  try {
    walk(descriptor, new BinaryReader(bytes), undefined, { path: '', anyDepth: 0, problems });
  } catch (error) {
    problems.push(malformed(messageName, errorMessage(error)));
  }
  return problems;
}

/** The problem of bytes that can't be decoded at all. */
export function malformed(messageName: string, reason: string): Problem {
  return {
    code: 'HEDDLE_XDS_MALFORMED',
    severity: 'error',
    message: `The bytes are no valid ${messageName}: ${reason}`,
  };
}

/** The problem of a message in an `Any` that we don't have. */
export function unsupportedType(messageName: string, path: string): Problem {
  const known = isEnvoyMessage(messageName) ? 'known to Envoy and not supported by Heddle yet' : 'not known';
  return {
    code: 'HEDDLE_XDS_UNSUPPORTED_TYPE',
    severity: 'error',
    message: `The type ${messageName} is ${known}.`,
    ...(path === '' ? {} : { path }),
  };
}

/** The problem of a field that Envoy has and we don't, or that nobody has. */
export function unsupportedField(
  messageName: string,
  field: string,
  isEnvoys: boolean,
  path: string,
): Problem {
  const hint = hintFor(messageName, field);
  const short = `${messageName.slice(messageName.lastIndexOf('.') + 1)}.${field}`;
  return {
    code: 'HEDDLE_XDS_UNSUPPORTED_FIELD',
    severity: 'error',
    message: isEnvoys
      ? `${short} is known to Envoy and not supported by Heddle yet.`
      : `${short} is not known.`,
    path,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Where the walk is, and what it found. */
interface Place {
  readonly path: string;
  readonly anyDepth: number;
  readonly problems: Problem[];
}

function walk(
  descriptor: MessageDescriptor,
  reader: BinaryReader,
  length: number | undefined,
  place: Place,
): void {
  const { path, problems } = place;
  const outer = reader.enter(length);
  const indexes = new Map<number, number>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = descriptor.byNumber.get(tag >>> 3);
    if (field === undefined) {
      reader.skip(tag);
      noteUnknown(descriptor.name, tag >>> 3, place);
      continue;
    }
    const isPacked = field.isRepeated && (tag & 7) === 2;
    if ((tag & 7) !== wireTypeOf(field.type) && !isPacked) {
      reader.skip(tag);
      const problem = malformed(descriptor.name, `${field.name} has the wrong wire type.`);
      problems.push({ ...problem, path: join(path, field.name) });
      continue;
    }
    if (field.type.kind !== 'message') {
      reader.skip(tag);
      continue;
    }
    // What travels with metadata is for those who put it there.
    if (descriptor.name === metadataName) {
      reader.skip(tag);
      continue;
    }
    const index = indexes.get(field.number) ?? 0;
    indexes.set(field.number, index + 1);
    // The value of a map's entry has the place of the entry.
    walkField(field, index, reader, {
      ...place,
      path: descriptor.isMapEntry ? path : join(path, field.name),
    });
  }
  reader.leave(outer);
}

function walkField(field: FieldDescriptor, index: number, reader: BinaryReader, place: Place): void {
  const length = reader.uint32();
  const start = reader.pos;
  const nested = existingMessage(field.type.name);
  const within = new BinaryReader(reader.buf.subarray(start, Math.min(start + length, reader.len)));
  const element = field.isRepeated ? `[${nested.isMapEntry ? readKey(within) : index}]` : '';
  const path = `${place.path}${element}`;
  if (nested.name === anyName) {
    const outer = reader.enter(length);
    walkAny(readAny(reader), { ...place, path });
    reader.leave(outer);
    return;
  }
  const problems: Problem[] = [];
  walk(nested, reader, length, { ...place, path, problems });
  const isDroppable = nested.name === httpFilterName && problems.length > 0 && isOptionalFilter(within);
  const kept = isDroppable ? problems.filter(({ code }) => code !== 'HEDDLE_XDS_UNSUPPORTED_TYPE') : problems;
  place.problems.push(...kept);
}

function walkAny(any: { typeUrl: string; value: Uint8Array }, place: Place): void {
  // An empty `Any` is for its reader to judge.
  if (any.typeUrl === '') return;
  const name = messageNameOf(any.typeUrl);
  const descriptor = messageDescriptor(name);
  const anyDepth = place.anyDepth + 1;
  if (descriptor === undefined) place.problems.push(unsupportedType(name, place.path));
  else if (anyDepth > maxAnyNesting) place.problems.push(malformed(name, 'It lies too deep.'));
  else walk(descriptor, new BinaryReader(any.value), undefined, { ...place, anyDepth });
}

function readAny(reader: BinaryReader): { typeUrl: string; value: Uint8Array } {
  const any: { typeUrl: string; value: Uint8Array } = { typeUrl: '', value: new Uint8Array(0) };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) any.typeUrl = reader.string();
    else if (tag === 18) any.value = reader.bytes();
    else reader.skip(tag);
  }
  return any;
}

/** The key of a map's entry; keys are text in everything that we read. */
function readKey(entry: BinaryReader): string {
  while (entry.pos < entry.len) {
    const tag = entry.uint32();
    if (tag === 10) return entry.string();
    entry.skip(tag);
  }
  return '';
}

/** Whether an HttpFilter says `is_optional`: then one whose type is not known is left out and not refused. */
function isOptionalFilter(filter: BinaryReader): boolean {
  while (filter.pos < filter.len) {
    const tag = filter.uint32();
    if (tag >>> 3 === 6) return filter.bool();
    filter.skip(tag);
  }
  return false;
}

function noteUnknown(messageName: string, number: number, { path, problems }: Place): void {
  const name = envoyFieldNames(messageName).get(number);
  if (name !== undefined && isAcceptedWithoutEffect(messageName, name)) return;
  const place = join(path, name ?? `#${number}`);
  // A repeated field comes once per element.
  if (problems.some((problem) => problem.path === place)) return;
  problems.push(unsupportedField(messageName, name ?? `field ${number}`, name !== undefined, place));
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
