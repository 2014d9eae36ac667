import { type MessageOf, messageNameOf, type TypeUrl, unpackAny } from '@heddle/xds';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { ProblemList } from './problem-list.ts';

/** The message in a `typed_config`, which has been compared with `typeUrl`; null with a problem noted. */
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
