import {
  decodeMessage,
  type MessageOf,
  messageNameOf,
  type TypeUrl,
  unpackAny,
  unpackKnown,
} from '@heddle/xds';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseUnknownFields } from './unknown-fields.ts';

/** Decodes a resource; null with a problem noted. Fields that our types don't know are refused. */
export function decodeResource<U extends TypeUrl>(
  typeUrl: U,
  bytes: Uint8Array,
  problems: ProblemList,
): MessageOf<U> | null {
  const decoded = decodeMessage(typeUrl, bytes);
  if (!decoded.ok) {
    problems.invalid('', decoded.error);
    return null;
  }
  const { message, hasUnknownFields } = decoded.value;
  if (hasUnknownFields) refuseUnknownFields(message, '', problems);
  return message;
}

/** The message in a `typed_config`, whose type has been compared with `typeUrl`; null with a problem noted. */
export function unpackConfig<U extends TypeUrl>(
  config: Any,
  typeUrl: U,
  path: string,
  problems: ProblemList,
): MessageOf<U> | null {
  const known = unpackKnown(config);
  // The second look at the same Any costs nothing: this one is for its type.
  const unpacked = unpackAny(config, typeUrl);
  if (!unpacked.ok) {
    problems.invalid(path, unpacked.error);
    return null;
  }
  if (known.ok && known.value.hasUnknownFields) refuseUnknownFields(unpacked.value, path, problems);
  return unpacked.value;
}

/** Refuses an extension by the name of its configuration's type, or by its own where it has none. */
export function refuseExtension(
  name: string,
  config: Any | undefined,
  path: string,
  problems: ProblemList,
): void {
  const type = config === undefined ? '' : ` (${messageNameOf(config.typeUrl)})`;
  problems.unsupported(path, `the extension ${name}${type}`);
}
