/** Reads what `protoc --descriptor_set_out` writes: just the facts our tables need. */
import { BinaryReader } from '../../packages/xds/src/wire/binary-reader.ts';

/** A field: number, name, type, and the oneof it is in. Types: a scalar's name, `m:` and a message's, `e:` and an enum's. */
export interface FieldFact {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly isRepeated: boolean;
  readonly oneof: string;
}

export interface MessageFact {
  readonly name: string;
  readonly isMapEntry: boolean;
  readonly fields: readonly FieldFact[];
}

export interface Facts {
  readonly messages: Map<string, MessageFact>;
  readonly enums: Map<string, readonly (readonly [name: string, number: number])[]>;
}

/** Names of FieldDescriptorProto.Type by number. */
const scalars = [
  '', 'double', 'float', 'int64', 'uint64', 'int32', 'fixed64', 'fixed32', 'bool', 'string', 'group', 'message', 'bytes',
  'uint32', 'enum', 'sfixed32', 'sfixed64', 'sint32', 'sint64',
]; // prettier-ignore

/** Calls `visit` for each field of the message that `reader` stands in. */
function eachField(
  reader: BinaryReader,
  length: number | undefined,
  visit: (number: number, tag: number) => boolean,
): void {
  const outer = reader.enter(length);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!visit(tag >>> 3, tag)) reader.skip(tag);
  }
  reader.leave(outer);
}

function readField(reader: BinaryReader): {
  number: number;
  name: string;
  label: number;
  type: number;
  typeName: string;
  oneofIndex: number;
} {
  const field = { number: 0, name: '', label: 0, type: 0, typeName: '', oneofIndex: -1 };
  eachField(reader, reader.uint32(), (number) => {
    if (number === 1) field.name = reader.string();
    else if (number === 3) field.number = reader.int32();
    else if (number === 4) field.label = reader.int32();
    else if (number === 5) field.type = reader.int32();
    else if (number === 6) field.typeName = reader.string();
    else if (number === 9) field.oneofIndex = reader.int32();
    else return false;
    return true;
  });
  return field;
}

function readEnum(reader: BinaryReader, scope: string, facts: Facts): void {
  let name = '';
  const values: [string, number][] = [];
  eachField(reader, reader.uint32(), (number) => {
    if (number === 1) name = reader.string();
    else if (number === 2) {
      const value: [string, number] = ['', 0];
      eachField(reader, reader.uint32(), (inner) => {
        if (inner === 1) value[0] = reader.string();
        else if (inner === 2) value[1] = reader.int32();
        else return false;
        return true;
      });
      values.push(value);
    } else return false;
    return true;
  });
  facts.enums.set(`${scope}${name}`, values);
}

function readMessage(reader: BinaryReader, scope: string, facts: Facts): void {
  // The name comes first in what protoc writes, so that nested types know where they are.
  let name = '';
  let isMapEntry = false;
  const raw: ReturnType<typeof readField>[] = [];
  const oneofs: string[] = [];
  eachField(reader, reader.uint32(), (number) => {
    if (number === 1) name = reader.string();
    else if (number === 2) raw.push(readField(reader));
    else if (number === 3) readMessage(reader, `${scope}${name}.`, facts);
    else if (number === 4) readEnum(reader, `${scope}${name}.`, facts);
    else if (number === 7) {
      eachField(reader, reader.uint32(), (inner) => {
        if (inner !== 7) return false;
        isMapEntry = reader.bool();
        return true;
      });
    } else if (number === 8) {
      eachField(reader, reader.uint32(), (inner) => {
        if (inner !== 1) return false;
        oneofs.push(reader.string());
        return true;
      });
    } else return false;
    return true;
  });
  const fields = raw.map((field): FieldFact => {
    const kind = scalars[field.type]!;
    const typeName = field.typeName.slice(1);
    return {
      number: field.number,
      name: field.name,
      type: kind === 'message' ? `m:${typeName}` : kind === 'enum' ? `e:${typeName}` : kind,
      isRepeated: field.label === 3,
      oneof: oneofs[field.oneofIndex] ?? '',
    };
  });
  facts.messages.set(`${scope}${name}`, { name: `${scope}${name}`, isMapEntry, fields });
}

/** Reads a FileDescriptorSet. */
export function readDescriptorSet(bytes: Uint8Array): Facts {
  const facts: Facts = { messages: new Map(), enums: new Map() };
  const reader = new BinaryReader(bytes);
  eachField(reader, undefined, (number) => {
    if (number !== 1) return false;
    let scope = '';
    eachField(reader, reader.uint32(), (inner) => {
      if (inner === 2) scope = `${reader.string()}.`;
      else if (inner === 4) readMessage(reader, scope, facts);
      else if (inner === 5) readEnum(reader, scope, facts);
      else return false;
      return true;
    });
    return true;
  });
  return facts;
}
