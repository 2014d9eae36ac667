// JSON and YAML on one side, messages on the other. For bootstrap files, dumps and people; not for traffic.
import type { Problem, Result } from '@heddle/base';
import { ok } from '@heddle/base';
import { Bootstrap } from '../generated/envoy/config/bootstrap/v3/bootstrap.ts';
import { messageNameOf } from '../type-url.ts';
import { messageFromJson } from './from-json.ts';
import { messageToJson } from './to-json.ts';

export { messageFromJson, messageToJson };

/**
 * Reads a bootstrap file's content, as parsed from YAML or JSON. A field that we don't have is a problem with its path,
 * and says whether Envoy knows it or which name was meant.
 */
export function bootstrapFromJson(value: unknown): Result<Bootstrap, Problem[]> {
  const bytes = messageFromJson('envoy.config.bootstrap.v3.Bootstrap', value);
  return bytes.ok ? ok(Bootstrap.decode(bytes.value)) : bytes;
}

/** A resource as a dump shows it: `@type` first, then its fields. */
export function resourceToJson(typeUrl: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  // Resources have no form of their own in JSON: each is an object.
  return { '@type': typeUrl, ...(messageToJson(messageNameOf(typeUrl), bytes) as object) };
}
