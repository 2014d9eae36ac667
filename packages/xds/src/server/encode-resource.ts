import { BinaryWriter } from '../wire/binary-writer.ts';
import { VersionTable } from './version-table.ts';
import type { EncodedResource } from './resource-source.ts';

/** Of all servers in a process: what streams keep of resources are numbers. */
const versions = new VersionTable();
let resources = 0;

/** Encodes a resource for sending; `message` is the encoded message that `typeUrl` names. */
export function encodeResource(
  typeUrl: string,
  name: string,
  version: string,
  message: Uint8Array,
): EncodedResource {
  // envoy.service.discovery.v3.Resource: version = 1, resource = 2 (an Any: type_url = 1, value = 2), name = 3.
  const writer = new BinaryWriter();
  writer.tag(1, 2).string(version);
  writer.tag(2, 2).fork().tag(1, 2).string(typeUrl).tag(2, 2).bytes(message).join();
  writer.tag(3, 2).string(name);
  resources++;
  return {
    name,
    version,
    bytes: writer.finish(),
    id: resources,
    versionNumber: versions.numberOf(version),
  };
}
