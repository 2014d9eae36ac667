/** CSDS: what each connected client was sent and has taken, as this control plane knows it. */
import { errorMessage } from '@heddle/base';
import { controlPlaneNamespace } from '@heddle/identity';
import {
  type ResourceSource,
  type ResourceStatus,
  RpcCode,
  type RpcMethod,
  type RpcPeer,
  type RpcReply,
  type RpcStatus,
  type XdsClient,
} from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import {
  ClientConfig,
  ClientConfig_GenericXdsConfig,
  ClientStatusRequest,
  ClientStatusResponse,
  ConfigStatus,
} from '@heddle/xds/api/envoy/service/status/v3/csds.ts';
import type { NodeMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/node.ts';
import type { DeltaServer } from '@heddle/xds/server';
import { workloadOf } from './workload-peer.ts';

const service = '/envoy.service.status.v3.ClientStatusDiscoveryService/';

/** Answers are put together in memory. */
const mostBytes = 64 * 1024 * 1024;

const statuses: Readonly<Record<ResourceStatus['state'], ConfigStatus>> = {
  acknowledged: ConfigStatus.SYNCED,
  stale: ConfigStatus.STALE,
  unsent: ConfigStatus.NOT_SENT,
  refused: ConfigStatus.ERROR,
  absent: ConfigStatus.SYNCED,
};

export interface ClientStatusOptions {
  readonly ads: Pick<DeltaServer, 'clients'>;
  readonly source: Pick<ResourceSource, 'get'>;
}

/** The methods by their paths. A workload is told of its own clients, one of the control plane's namespace of all. */
export function clientStatusService(
  options: ClientStatusOptions,
): readonly (readonly [path: string, method: RpcMethod])[] {
  const fetch: RpcMethod = {
    kind: 'unary',
    handle: (request, peer) => Promise.resolve(answer(options, request, peer)),
  };
  const stream: RpcMethod = {
    kind: 'stream',
    open: (to, peer) => ({
      onMessage: (request) => {
        const { status, message } = answer(options, request, peer);
        // Who does not read the answers asks no more.
        if (status.code !== RpcCode.ok) to.end(status);
        else if (!to.send(message))
          to.end({ code: RpcCode.resourceExhausted, message: 'Read the answers first.' });
      },
      onHalfClose: () => to.end(),
      onWritable: () => undefined,
      onEnd: () => undefined,
    }),
  };
  return [
    [`${service}FetchClientStatus`, fetch],
    [`${service}StreamClientStatus`, stream],
  ];
}

function answer({ ads, source }: ClientStatusOptions, bytes: Uint8Array, peer: RpcPeer): RpcReply {
  let request: ClientStatusRequest;
  try {
    request = ClientStatusRequest.decode(bytes);
  } catch (error) {
    const message = `Not a ClientStatusRequest: ${errorMessage(error)}`;
    return refused({ code: RpcCode.invalidArgument, message });
  }
  if (!request.nodeMatchers.every(isSupported)) {
    const message = 'Nodes are matched by node_id, exactly or by prefix, suffix or a part of it.';
    return refused({ code: RpcCode.invalidArgument, message });
  }
  const contents = request.excludeResourceContents ? null : source;
  const configs: Uint8Array[] = [];
  let size = 0;
  for (const { client, resources } of ads.clients()) {
    if (!maySee(peer, client) || !matches(request.nodeMatchers, client.node.id)) continue;
    const config = ClientConfig.fromPartial({});
    config.node = client.node;
    for (const resource of resources) config.genericXdsConfigs.push(describe(resource, client, contents));
    const response = ClientStatusResponse.fromPartial({});
    response.config.push(config);
    const encoded = ClientStatusResponse.encode(response).finish();
    size += encoded.length;
    if (size > mostBytes) {
      const message = 'The answer is too large: match fewer nodes, or exclude_resource_contents.';
      return refused({ code: RpcCode.resourceExhausted, message });
    }
    configs.push(encoded);
  }
  // Messages put one behind the other are one that holds what all of them hold.
  return { status: { code: RpcCode.ok, message: '' }, message: Buffer.concat(configs) };
}

function refused(status: RpcStatus): RpcReply {
  return { status, message: new Uint8Array(0) };
}

function maySee(peer: RpcPeer, client: XdsClient): boolean {
  return peer.identity === client.peer.identity || workloadOf(peer)?.namespace === controlPlaneNamespace;
}

function describe(
  { typeUrl, name, state, refusal }: ResourceStatus,
  client: XdsClient,
  contents: Pick<ResourceSource, 'get'> | null,
): ClientConfig_GenericXdsConfig {
  const at = refusal?.at ?? 0;
  const lastUpdateAttempt = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1_000_000 };
  const config = ClientConfig_GenericXdsConfig.fromPartial({
    typeUrl,
    name,
    configStatus: statuses[state],
    ...(refusal === null ? {} : { errorState: { details: refusal.reason, lastUpdateAttempt } }),
  });
  const resource = contents?.get(client, typeUrl, name);
  if (resource === undefined) return config;
  config.versionInfo = resource.version;
  config.xdsConfig = Resource.decode(resource.bytes).resource;
  return config;
}

function isSupported({ nodeId, _unknownFields }: NodeMatcher): boolean {
  const kind = nodeId?.matchPattern?.$case ?? '';
  return _unknownFields === undefined && ['exact', 'prefix', 'suffix', 'contains'].includes(kind);
}

/** Without matchers all; otherwise those that any matches. */
function matches(matchers: readonly NodeMatcher[], id: string): boolean {
  return matchers.length === 0 || matchers.some(({ nodeId }) => fits(nodeId?.matchPattern, id));
}

function fits(pattern: NonNullable<NodeMatcher['nodeId']>['matchPattern'], id: string): boolean {
  if (pattern?.$case === 'exact') return id === pattern.value;
  if (pattern?.$case === 'prefix') return id.startsWith(pattern.value);
  if (pattern?.$case === 'suffix') return id.endsWith(pattern.value);
  return pattern?.$case === 'contains' && id.includes(pattern.value);
}
