// Scalars between JSON and the wire (https://protobuf.dev/programming-guides/json/).
import type { ScalarType } from '../descriptors/descriptors.ts';
import type { BinaryReader } from '../wire/binary-reader.ts';
import type { BinaryWriter } from '../wire/binary-writer.ts';
import type { JsonPlace } from './json-problems.ts';
import { kindOf } from './json-problems.ts';

/** The range of each integer type. */
const ranges: Readonly<Partial<Record<ScalarType, readonly [min: bigint, max: bigint]>>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};

/** Writes a JSON value as this scalar and returns true; where it is no such value, notes so and writes the default. */
export function writeScalar(
  writer: BinaryWriter,
  type: ScalarType,
  value: unknown,
  place: JsonPlace,
): boolean {
  switch (type) {
    case 'string':
      if (typeof value === 'string') {
        writer.string(value);
        return true;
      }
      place.invalid(`Expected a string and found ${kindOf(value)}.`, 'Put it in quotes.');
      writer.string('');
      return false;
    case 'bytes':
      return writeBytes(writer, value, place);
    case 'bool':
      if (typeof value === 'boolean') {
        writer.bool(value);
        return true;
      }
      place.invalid(`Expected true or false and found ${kindOf(value)}.`);
      writer.bool(false);
      return false;
    case 'double':
    case 'float':
      return writeFloat(writer, type, value, place);
    case 'int32':
    case 'uint32':
    case 'sint32':
    case 'fixed32':
    case 'sfixed32':
      return writeInteger(type, value, place, (number) => writer[type](Number(number)));
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return writeInteger(type, value, place, (number) => writer[type](number));
    default:
      return false;
  }
}

function writeInteger(
  type: ScalarType,
  value: unknown,
  place: JsonPlace,
  write: (value: bigint) => void,
): boolean {
  const [min, max] = ranges[type] ?? [0n, 0n];
  const isWhole =
    (typeof value === 'number' && Number.isInteger(value)) ||
    (typeof value === 'string' && /^-?\d{1,20}$/.test(value));
  if (!isWhole) {
    place.invalid(`Expected a whole number and found ${kindOf(value)}.`);
    write(0n);
    return false;
  }
  const number = BigInt(value);
  if (number < min || number > max) {
    place.invalid(`${number} is outside of ${min} to ${max}.`);
    write(0n);
    return false;
  }
  write(number);
  return true;
}

function writeFloat(
  writer: BinaryWriter,
  type: 'double' | 'float',
  value: unknown,
  place: JsonPlace,
): boolean {
  const isText =
    typeof value === 'string' && /^(?:NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(value);
  if (typeof value === 'number' || isText) {
    writer[type](Number(value));
    return true;
  }
  place.invalid(`Expected a number and found ${kindOf(value)}.`);
  writer[type](0);
  return false;
}

function writeBytes(writer: BinaryWriter, value: unknown, place: JsonPlace): boolean {
  if (typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value)) {
    writer.bytes(Buffer.from(value, 'base64'));
    return true;
  }
  place.invalid(`Expected base64 and found ${typeof value === 'string' ? 'other text' : kindOf(value)}.`);
  writer.bytes(new Uint8Array(0));
  return false;
}

/** Reads a scalar as JSON has it: 64-bit numbers as text, bytes as base64. */
export function readScalar(reader: BinaryReader, type: ScalarType): unknown {
  switch (type) {
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'double':
    case 'float': {
      const value = reader[type]();
      return Number.isFinite(value) ? value : String(value);
    }
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return String(reader[type]());
    default:
      return reader[type]();
  }
}

/** What JSON shows for a field that is absent on the wire. */
export function scalarDefault(type: ScalarType): unknown {
  if (type === 'string' || type === 'bytes') return '';
  if (type === 'bool') return false;
  return type.endsWith('64') ? '0' : 0;
}
