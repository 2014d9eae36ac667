// Messages of google.protobuf that JSON writes in a form of their own.
import { errorMessage } from '@heddle/base';
import { ListValue, Struct, Value } from '../generated/google/protobuf/struct.ts';
import { BinaryReader } from '../wire/binary-reader.ts';
import { BinaryWriter } from '../wire/binary-writer.ts';
import type { JsonPlace } from './json-problems.ts';
import { isObject, kindOf } from './json-problems.ts';

const prefix = 'google.protobuf.';
const nanosPerSecond = 1_000_000_000;
/** Ten thousand years, the limit that protobuf sets. */
const maxSeconds = 315_576_000_000;

/** How a message is written in JSON; its bytes go in and out encoded. */
export interface WellKnown {
  /** Encodes a JSON value; where it is none of the kind, notes so and returns nothing. */
  fromJson(value: unknown, place: JsonPlace): Uint8Array;
  toJson(bytes: Uint8Array): unknown;
}

const nothing = new Uint8Array(0);

const duration: WellKnown = {
  fromJson(value, place) {
    const match = typeof value === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null;
    if (match === null || Number(match[2]) > maxSeconds) {
      const found = typeof value === 'string' ? `'${value}'` : kindOf(value);
      place.invalid(`Expected a duration and found ${found}.`, "Write seconds with an s, such as '0.25s'.");
      return nothing;
    }
    const sign = match[1] === '-' ? -1 : 1;
    return encodeTime(sign * Number(match[2]), sign * Number((match[3] ?? '').padEnd(9, '0')));
  },
  toJson(bytes) {
    const { seconds, nanos } = decodeTime(bytes);
    const sign = seconds < 0 || nanos < 0 ? '-' : '';
    return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
  },
};

const timestamp: WellKnown = {
  fromJson(value, place) {
    const match =
      typeof value === 'string'
        ? /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(value)
        : null;
    const milliseconds = match === null ? NaN : Date.parse(`${match[1]!}${match[3]!}`);
    if (match === null || Number.isNaN(milliseconds)) {
      place.invalid(`Expected a time and found ${kindOf(value)}.`, "Write it as '2026-01-31T12:00:00Z'.");
      return nothing;
    }
    return encodeTime(milliseconds / 1000, Number((match[2] ?? '').padEnd(9, '0')));
  },
  toJson(bytes) {
    const { seconds, nanos } = decodeTime(bytes);
    return new Date(seconds * 1000).toISOString().replace('.000Z', `${fraction(nanos)}Z`);
  },
};

const struct: WellKnown = {
  fromJson(value, place) {
    if (isObject(value)) return encodeJson(place, () => Struct.encode(Struct.wrap(value)));
    place.invalid(`Expected an object and found ${kindOf(value)}.`);
    return nothing;
  },
  toJson: (bytes) => Struct.unwrap(Struct.decode(bytes)),
};

const listValue: WellKnown = {
  fromJson(value, place) {
    if (Array.isArray(value)) return encodeJson(place, () => ListValue.encode(ListValue.wrap(value)));
    place.invalid(`Expected a list and found ${kindOf(value)}.`);
    return nothing;
  },
  toJson: (bytes) => ListValue.unwrap(ListValue.decode(bytes)),
};

const value: WellKnown = {
  fromJson: (json, place) => encodeJson(place, () => Value.encode(Value.wrap(json))),
  toJson: (bytes) => Value.unwrap(Value.decode(bytes)) ?? null,
};

const all: ReadonlyMap<string, WellKnown> = new Map([
  [`${prefix}Duration`, duration],
  [`${prefix}Timestamp`, timestamp],
  [`${prefix}Struct`, struct],
  [`${prefix}ListValue`, listValue],
  [`${prefix}Value`, value],
]);

/** The own JSON form of a message, or undefined where it has none. */
export function wellKnown(messageName: string): WellKnown | undefined {
  return all.get(messageName);
}

/** Whether a message is one of the wrappers, which JSON writes as the scalar that is in them. */
export function isWrapper(messageName: string): boolean {
  return /^google\.protobuf\.(?:Double|Float|U?Int(?:64|32)|Bool|String|Bytes)Value$/.test(messageName);
}

/** A parser of YAML may give what JSON does not have, such as dates. */
function encodeJson(place: JsonPlace, encode: () => BinaryWriter): Uint8Array {
  try {
    return encode().finish();
  } catch (error) {
    place.invalid(`Expected what JSON can hold: ${errorMessage(error)}`);
    return nothing;
  }
}

/** Durations and times are alike on the wire: seconds = 1, nanos = 2. */
function encodeTime(seconds: number, nanos: number): Uint8Array {
  const writer = new BinaryWriter();
  if (seconds !== 0) writer.tag(1, 0).int64(seconds);
  if (nanos !== 0) writer.tag(2, 0).int32(nanos);
  return writer.finish();
}

function decodeTime(bytes: Uint8Array): { seconds: number; nanos: number } {
  const reader = new BinaryReader(bytes);
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) seconds = Number(reader.int64());
    else if (tag === 16) nanos = reader.int32() % nanosPerSecond;
    else reader.skip(tag);
  }
  return { seconds, nanos };
}

function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}
