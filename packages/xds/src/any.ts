import type { Result } from '@heddle/base';
import { err, errorMessage, ok } from '@heddle/base';
import type { Any } from './generated/google/protobuf/any.ts';
import type { DeepPartial, MessageOf } from './message-types.ts';
import { isKnownTypeUrl, messageType } from './message-types.ts';
import { messageNameOf } from './type-url.ts';
import type { TypeUrl } from './type-url.ts';
import { BinaryReader } from './wire/binary-reader.ts';

/** What has been unpacked, by its `Any`: whoever checks a resource and whoever compiles it later share one decoding. */
const unpacked = new WeakMap<Any, Decoded<unknown>>();

/** Encodes a message; absent fields have their defaults. */
export function encodeMessage<U extends TypeUrl>(typeUrl: U, message: DeepPartial<MessageOf<U>>): Uint8Array {
  const type = messageType(typeUrl);
  return type.encode(type.fromPartial(message)).finish();
}

/** Puts a message into an `Any`. */
export function packAny<U extends TypeUrl>(typeUrl: U, message: DeepPartial<MessageOf<U>>): Any {
  return { typeUrl, value: encodeMessage(typeUrl, message) };
}

/** Why bytes are not the message they are said to be, in one sentence. */
export type DecodeFailure = string;

/** A decoded message, and whether any message in it has fields that our types don't know (messages in an `Any` apart). */
export interface Decoded<T> {
  readonly message: T;
  readonly hasUnknownFields: boolean;
}

/** Decodes a message; what is in an `Any` stays encoded. */
export function decodeMessage<U extends TypeUrl>(
  typeUrl: U,
  bytes: Uint8Array,
): Result<Decoded<MessageOf<U>>, DecodeFailure> {
  const reader = new BinaryReader(bytes);
  try {
    const message = messageType(typeUrl).decode(reader);
    return ok({ message, hasUnknownFields: reader.hasUnknownFields });
  } catch (error) {
    return err(failureOf(typeUrl, error));
  }
}

/**
 * Takes the message out of an `Any`; the second time costs nothing. The type URL must be `typeUrl`, which the caller has
 * looked at to know what it has.
 */
export function unpackAny<U extends TypeUrl>(any: Any, typeUrl: U): Result<MessageOf<U>, DecodeFailure> {
  const result = unpack(any, typeUrl);
  return result.ok ? ok(result.value.message) : result;
}

/** Like `unpackAny`, and says whether there were unknown fields. */
export function unpack<U extends TypeUrl>(
  any: Any,
  typeUrl: U,
): Result<Decoded<MessageOf<U>>, DecodeFailure> {
  if (any.typeUrl !== typeUrl) {
    return err(`Expected ${messageNameOf(typeUrl)} and found ${messageNameOf(any.typeUrl)}.`);
  }
  const known = unpacked.get(any);
  // Kept under the type URL that was just compared.
  if (known !== undefined) return ok(known as Decoded<MessageOf<U>>);
  const result = decodeMessage(typeUrl, any.value);
  if (result.ok) unpacked.set(any, result.value);
  return result;
}

/** Any message that can be read, by a type URL that is looked at at run time. */
export function unpackKnown(any: Any): Result<Decoded<unknown>, DecodeFailure> {
  if (!isKnownTypeUrl(any.typeUrl)) return err(`The type ${messageNameOf(any.typeUrl)} is not supported.`);
  return unpack(any, any.typeUrl);
}

function failureOf(typeUrl: string, error: unknown): DecodeFailure {
  return `Not a valid ${messageNameOf(typeUrl)}: ${errorMessage(error)}`;
}
