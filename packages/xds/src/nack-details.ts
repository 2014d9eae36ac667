import { Any } from './generated/google/protobuf/any.ts';
import { Struct } from './generated/google/protobuf/struct.ts';
import type { Status } from './generated/google/rpc/status.ts';
import { RpcCode } from './rpc.ts';
import { typeUrlOf } from './type-url.ts';

const structUrl = typeUrlOf('google.protobuf.Struct');
const maxMessageLength = 4096;

/**
 * The `error_detail` that refuses some resources of a response and accepts the others: a sentence for people and for
 * other control planes, and reasons by name in `details` for ours.
 */
export function rejectionStatus(reasons: ReadonlyMap<string, string>): Status {
  const message = [...reasons].map(([name, reason]) => `${name}: ${reason}`).join('; ');
  const details = Struct.encode(Struct.wrap(Object.fromEntries(reasons))).finish();
  return {
    code: RpcCode.invalidArgument,
    message: message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message,
    details: [Any.create({ typeUrl: structUrl, value: details })],
  };
}

/**
 * Why each resource was refused. A client that gives one sentence for the whole response, as Envoy does, refused what the
 * sentence mentions; where it mentions nothing, everything.
 */
export function rejectionsOf(status: Status, names: readonly string[]): Map<string, string> {
  const reasons = new Map<string, string>();
  const details = status.details.find((detail) => detail.typeUrl === structUrl);
  if (details !== undefined) {
    const known = new Set(names);
    for (const [name, reason] of Object.entries(Struct.unwrap(decodeStruct(details.value)))) {
      if (known.has(name) && typeof reason === 'string') reasons.set(name, reason);
    }
  }
  if (reasons.size > 0) return reasons;
  const mentioned = names.filter((name) => name !== '' && status.message.includes(name));
  for (const name of mentioned.length > 0 ? mentioned : names) reasons.set(name, status.message);
  if (reasons.size === 0) reasons.set('', status.message);
  return reasons;
}

function decodeStruct(bytes: Uint8Array): Struct {
  try {
    return Struct.decode(bytes);
  } catch {
    // Details that can't be read say nothing; the message still does.
    return Struct.create();
  }
}
