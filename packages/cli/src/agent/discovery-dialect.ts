// The two kinds of aggregated streams, as far as a relay looks at them.
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { TypeUrl } from '@heddle/xds';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';

/** Numbers of the fields of a request. */
export interface RequestFields {
  readonly node: number;
  readonly typeUrl: number;
  readonly error: number;
}

/** What the roots of the mesh are asked for by, and what came. */
export interface DiscoveryDialect {
  readonly fields: RequestFields;
  /** A request that holds nothing but this encoded `Node`: put behind another one it becomes that one's. */
  nodeOnly(node: Uint8Array): Uint8Array;
  /** Asks for a secret for the first time. */
  askFor(secret: string): Uint8Array;
  /** The secrets of a response, and the request that acknowledges it. */
  readSecrets(
    response: Uint8Array,
    secret: string,
  ): { readonly secrets: readonly Any[]; readonly ack: Uint8Array };
}

function prefixed(field: number, bytes: Uint8Array): Uint8Array {
  const head: number[] = [(field << 3) | 2];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      head.push(rest);
      break;
    }
    head.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}

export const stateOfTheWorld: DiscoveryDialect = {
  fields: { node: 2, typeUrl: 4, error: 6 },
  nodeOnly: (node) => prefixed(2, node),
  askFor: (secret) =>
    DiscoveryRequest.encode(
      DiscoveryRequest.fromPartial({ typeUrl: TypeUrl.secret, resourceNames: [secret] }),
    ).finish(),
  readSecrets: (response, secret) => {
    const { resources, nonce, versionInfo } = DiscoveryResponse.decode(response);
    const ack = { typeUrl: TypeUrl.secret, resourceNames: [secret], responseNonce: nonce, versionInfo };
    return {
      secrets: resources,
      ack: DiscoveryRequest.encode(DiscoveryRequest.fromPartial(ack)).finish(),
    };
  },
};

export const incremental: DiscoveryDialect = {
  fields: { node: 1, typeUrl: 2, error: 7 },
  nodeOnly: (node) => prefixed(1, node),
  askFor: (secret) =>
    DeltaDiscoveryRequest.encode(
      DeltaDiscoveryRequest.fromPartial({ typeUrl: TypeUrl.secret, resourceNamesSubscribe: [secret] }),
    ).finish(),
  readSecrets: (response) => {
    const { resources, nonce } = DeltaDiscoveryResponse.decode(response);
    const ack = { typeUrl: TypeUrl.secret, responseNonce: nonce };
    return {
      secrets: resources.flatMap(({ resource }) => resource ?? []),
      ack: DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(ack)).finish(),
    };
  },
};

/** The type URL of a response, of either kind. */
export const responseTypeUrl = 4;
/** The sentence in a `google.rpc.Status`. */
export const statusMessage = 2;
