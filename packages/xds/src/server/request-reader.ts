import { DeltaDiscoveryRequest } from '../generated/envoy/service/discovery/v3/discovery.ts';

/** Shorter ones are acknowledgements, of which each stream has its own. */
const minBytes = 256;
const maxBytes = 16 * 1024;
/** Beyond this what has been read is forgotten. */
const maxKeptBytes = 1024 * 1024;

/**
 * Reads requests. Proxies that are sent the same ask for the same: what was asked in these words a moment ago is the same object, and so are
 * the names in it, of which streams keep thousands.
 */
export class RequestReader {
  private known = new Map<string, DeltaDiscoveryRequest>();
  private keptBytes = 0;

  /** The request must not be changed. Throws where the bytes are none. */
  decode(message: Uint8Array): DeltaDiscoveryRequest {
    if (message.length < minBytes || message.length > maxBytes) return DeltaDiscoveryRequest.decode(message);
    const key = Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1');
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const request = DeltaDiscoveryRequest.decode(message);
    // Who somebody is everybody says of himself.
    if (request.node !== undefined) return request;
    if (this.keptBytes > maxKeptBytes) {
      this.known = new Map();
      this.keptBytes = 0;
    }
    this.keptBytes += message.length;
    this.known.set(key, request);
    return request;
  }
}
