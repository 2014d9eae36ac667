import { hash } from 'node:crypto';
import { encodeResource, type EncodedResource, type TypeUrl } from '@heddle/xds';

/** Enough of a SHA-256 that two contents never share a version. */
const versionLength = 22;

/**
 * Makes a resource whose version is a digest of its content, or returns the one among `known` that has this content:
 * what is compiled anew and comes out the same is the same object, so that nobody takes it for a change and all proxies
 * share its bytes. `message` is the encoded message that `typeUrl` names.
 */
export function makeResource(
  typeUrl: TypeUrl,
  name: string,
  message: Uint8Array,
  known: Iterable<EncodedResource | undefined> = [],
): EncodedResource {
  const version = hash('sha256', message, 'base64url').slice(0, versionLength);
  for (const resource of known) if (resource?.version === version && resource.name === name) return resource;
  return encodeResource(typeUrl, name, version, message);
}
