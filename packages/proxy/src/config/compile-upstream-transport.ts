import { TypeUrl } from '@heddle/xds';
import type { TransportSocket } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  type ProxyProtocolConfig,
  ProxyProtocolConfig_Version as Version,
} from '@heddle/xds/api/envoy/config/core/v3/proxy_protocol.ts';
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';
import { compileUpstreamTls } from './compile-tls.ts';
import type { ProblemList } from './problem-list.ts';
import type { TlsMaterials } from './tls-materials.ts';
import { unpackConfig } from './unpack-config.ts';

/** How a cluster's connections are made. */
export interface UpstreamTransport {
  /** Null for plain connections. */
  readonly tls: UpstreamTlsConfig | null;
  /** Null where connections begin with no PROXY protocol header. */
  readonly proxyProtocol: ProxyProtocolVersion | null;
}

/** Compiles a cluster's transport socket: plain, TLS, or the PROXY protocol's header in front of either. */
export function compileUpstreamTransport(
  socket: TransportSocket | undefined,
  path: string,
  problems: ProblemList,
  materials: TlsMaterials,
): UpstreamTransport {
  const config = socket?.configType?.value;
  const place = `${path}.typed_config`;
  if (config?.typeUrl === TypeUrl.rawBuffer) {
    unpackConfig(config, TypeUrl.rawBuffer, place, problems);
    return { tls: null, proxyProtocol: null };
  }
  if (config?.typeUrl !== TypeUrl.upstreamProxyProtocol) {
    return { tls: compileUpstreamTls(socket, path, problems, materials), proxyProtocol: null };
  }
  const wrapper = unpackConfig(config, TypeUrl.upstreamProxyProtocol, place, problems);
  if (wrapper === null) return { tls: null, proxyProtocol: null };
  const inner = wrapper.transportSocket;
  const innerPath = `${place}.transport_socket`;
  if (inner === undefined) problems.invalid(innerPath, 'is required');
  const { tls, proxyProtocol } = compileUpstreamTransport(inner, innerPath, problems, materials);
  if (proxyProtocol !== null)
    problems.invalid(innerPath, "a second header would be taken for the client's bytes");
  return { tls, proxyProtocol: compileVersion(wrapper.config, `${place}.config`, problems) };
}

function compileVersion(
  config: ProxyProtocolConfig | undefined,
  path: string,
  problems: ProblemList,
): ProxyProtocolVersion {
  if (config?.passThroughTlvs !== undefined) problems.unsupported(`${path}.pass_through_tlvs`);
  return config?.version === Version.V2 ? 2 : 1;
}
