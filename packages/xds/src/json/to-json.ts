// Encoded messages to JSON, along the descriptors, with names as in .proto files.
import { existingEnum, existingMessage, messageDescriptor } from '../descriptors/descriptors.ts';
import type { FieldDescriptor, FieldType, MessageDescriptor } from '../descriptors/descriptors.ts';
import { envoyFieldNames } from '../descriptors/envoy-names.ts';
import { messageNameOf } from '../type-url.ts';
import { BinaryReader } from '../wire/binary-reader.ts';
import { readScalar, scalarDefault } from './scalars.ts';
import { isWrapper, wellKnown } from './well-known.ts';

const anyName = 'google.protobuf.Any';
const redacted = '[redacted]';

/** What a dump must not show, by message. */
const secretFields: Readonly<Record<string, readonly string[]>> = {
  'envoy.extensions.transport_sockets.tls.v3.TlsCertificate': ['private_key'],
  'envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys': ['keys'],
};

/** Of a data source: where the content is. */
const visibleSources: ReadonlySet<string> = new Set(['filename', 'environment_variable']);

type JsonObject = Record<string, unknown>;

/**
 * Decodes one of our messages into a plain value for JSON or YAML. Private keys are left out; fields that our messages
 * don't have are listed by name under `@unknown`. Throws on bytes that are no message of this name.
 */
export function messageToJson(messageName: string, bytes: Uint8Array): unknown {
  return readMessage(messageName, new BinaryReader(bytes), undefined);
}

function readMessage(name: string, reader: BinaryReader, length: number | undefined): unknown {
  const special = wellKnown(name);
  if (special !== undefined) return special.toJson(rest(reader, length));
  const descriptor = existingMessage(name);
  const fields = readFields(descriptor, reader, length);
  if (isWrapper(name)) return fields['value'] ?? scalarDefaultOf(descriptor.fields[0]!.type);
  return name === anyName ? expandAny(fields) : fields;
}

function rest(reader: BinaryReader, length: number | undefined): Uint8Array {
  const outer = reader.enter(length);
  const bytes = reader.buf.subarray(reader.pos, reader.len);
  reader.pos = reader.len;
  reader.leave(outer);
  return bytes;
}

function readFields(
  descriptor: MessageDescriptor,
  reader: BinaryReader,
  length: number | undefined,
): JsonObject {
  const result: JsonObject = {};
  const unknown = new Set<string>();
  const outer = reader.enter(length);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = descriptor.byNumber.get(tag >>> 3);
    if (field === undefined) {
      reader.skip(tag);
      unknown.add(envoyFieldNames(descriptor.name).get(tag >>> 3) ?? `#${tag >>> 3}`);
    } else {
      readMember(result, field, reader, tag & 7);
    }
  }
  for (const name of secretFields[descriptor.name] ?? []) {
    if (name in result) result[name] = withoutContent(result[name]);
  }
  reader.leave(outer);
  if (unknown.size > 0) result['@unknown'] = [...unknown];
  return result;
}

/** A data source, or a list of them, without what it holds; where it is to be found may be seen, as in Envoy. */
function withoutContent(source: unknown): unknown {
  if (Array.isArray(source)) return source.map(withoutContent);
  if (typeof source !== 'object' || source === null) return redacted;
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => [name, visibleSources.has(name) ? value : redacted]),
  );
}

function readMember(
  result: JsonObject,
  field: FieldDescriptor,
  reader: BinaryReader,
  wireType: number,
): void {
  if (!field.isRepeated) {
    result[field.name] = readValue(field.type, reader);
    return;
  }
  const entry = field.type.kind === 'message' ? messageDescriptor(field.type.name) : undefined;
  if (entry?.isMapEntry === true) {
    const map = (result[field.name] ??= {}) as JsonObject;
    const { key, value } = readFields(entry, reader, reader.uint32());
    map[String(key ?? scalarDefaultOf(entry.fields[0]!.type))] = value ?? defaultOf(entry.fields[1]!.type);
    return;
  }
  const list = (result[field.name] ??= []) as unknown[];
  if (wireType !== 2 || field.type.kind === 'message' || isText(field.type)) {
    list.push(readValue(field.type, reader));
    return;
  }
  const outer = reader.enter(reader.uint32());
  while (reader.pos < reader.len) list.push(readValue(field.type, reader));
  reader.leave(outer);
}

function isText(type: FieldType): boolean {
  return type.kind === 'scalar' && (type.name === 'string' || type.name === 'bytes');
}

function readValue(type: FieldType, reader: BinaryReader): unknown {
  if (type.kind === 'scalar') return readScalar(reader, type.name);
  if (type.kind === 'message') return readMessage(type.name, reader, reader.uint32());
  const value = reader.int32();
  return existingEnum(type.name).byNumber.get(value) ?? value;
}

function expandAny({ type_url: typeUrl = '', value: base64 = '' }: JsonObject): JsonObject {
  // The descriptor says that both are text.
  const [url, text] = [typeUrl as string, base64 as string];
  const name = messageNameOf(url);
  if (messageDescriptor(name) === undefined) return { '@type': url, '@bytes': text };
  const message = messageToJson(name, Buffer.from(text, 'base64'));
  const isPlain = wellKnown(name) === undefined && !isWrapper(name);
  // What has no form of its own in JSON is an object.
  return isPlain ? { '@type': url, ...(message as JsonObject) } : { '@type': url, value: message };
}

function scalarDefaultOf(type: FieldType): unknown {
  return type.kind === 'scalar' ? scalarDefault(type.name) : null;
}

function defaultOf(type: FieldType): unknown {
  if (type.kind === 'scalar') return scalarDefault(type.name);
  if (type.kind === 'enum') return existingEnum(type.name).byNumber.get(0) ?? 0;
  return messageToJson(type.name, new Uint8Array(0));
}
