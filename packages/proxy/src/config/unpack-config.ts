import {
  decodeResource as decode,
  type MessageOf,
  messageNameOf,
  type TypeUrl,
  unpackAny,
} from '@heddle/xds';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { ProblemList } from './problem-list.ts';

/** Decodes a resource; null with problems noted. Fields and types that aren't supported are refused, wherever they stand. */
export function decodeResource<U extends TypeUrl>(
  typeUrl: U,
  bytes: Uint8Array,
  problems: ProblemList,
): MessageOf<U> | null {
  const decoded = decode(typeUrl, bytes);
  if (decoded.ok) return decoded.value;
  problems.addAll(decoded.error);
  return null;
}

/** The message in a `typed_config`, whose type has been compared with `typeUrl`; null with a problem noted. */
export function unpackConfig<U extends TypeUrl>(
  config: Any,
  typeUrl: U,
  path: string,
  problems: ProblemList,
): MessageOf<U> | null {
  const unpacked = unpackAny(config, typeUrl);
  if (unpacked.ok) return unpacked.value;
  problems.invalid(path, unpacked.error);
  return null;
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
