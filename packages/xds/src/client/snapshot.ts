import type { Result } from '@heddle/base';
import { err, errorMessage, ok } from '@heddle/base';
import { DeltaDiscoveryResponse } from '../generated/envoy/service/discovery/v3/discovery.ts';
import { BinaryReader } from '../wire/binary-reader.ts';
import { BinaryWriter } from '../wire/binary-writer.ts';
import type { ReceivedResource } from './resource-sink.ts';

/** A client's accepted resources by type URL. */
export type ConfigurationSnapshot = ReadonlyMap<string, readonly ReceivedResource[]>;

/** First in every file; the digit is the version of the format. */
const magic = 'heddle-xds-1';

/**
 * Encodes a snapshot: the magic, the number of types, and for each type a `DeltaDiscoveryResponse`, as the server could
 * have sent it; lengths in front as in protobuf.
 */
export function encodeSnapshot(snapshot: ConfigurationSnapshot): Uint8Array {
  const writer = new BinaryWriter().string(magic).uint32(snapshot.size);
  for (const [typeUrl, resources] of snapshot) {
    const response = DeltaDiscoveryResponse.fromPartial({
      typeUrl,
      resources: resources.map(({ name, version, bytes }) => ({
        name,
        version,
        resource: { typeUrl, value: bytes },
      })),
    });
    DeltaDiscoveryResponse.encode(response, writer.fork()).join();
  }
  return writer.finish();
}

/** Decodes what `encodeSnapshot` made; a file that is cut off or is none is an error, in one sentence. */
export function decodeSnapshot(bytes: Uint8Array): Result<ConfigurationSnapshot, string> {
  const snapshot = new Map<string, readonly ReceivedResource[]>();
  try {
    const reader = new BinaryReader(bytes);
    if (reader.string() !== magic) return err('It was not written by this version.');
    for (let left = reader.uint32(); left > 0; left--) {
      const { typeUrl, resources } = DeltaDiscoveryResponse.decode(reader, reader.uint32());
      snapshot.set(
        typeUrl,
        resources.map(({ name, version, resource }) => ({
          name,
          version,
          bytes: resource?.value ?? new Uint8Array(0),
        })),
      );
    }
    if (reader.pos < reader.len) return err('There are bytes behind its end.');
    return ok(snapshot);
  } catch (error) {
    return err(errorMessage(error));
  }
}
