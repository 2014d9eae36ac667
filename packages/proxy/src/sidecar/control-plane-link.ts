// The way to the control plane: mTLS with this workload's certificate, to the control plane's SPIFFE id and nobody else.
import type { Clock, Logger, Random } from '@heddle/base';
import { type WorkloadIdentity, controlPlaneSpiffeId, trustDomainOf } from '@heddle/identity';
import { GrpcClient } from '../grpc/client/grpc-client.ts';
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import { meshSecurity } from '../tls/mesh-security.ts';
import type { Transport, TransportAddress } from '../transport/transport.ts';
import { IdentitySecrets } from './link-secrets.ts';

/** Istio's name for the control plane as a cluster: the one by which its HTTP/2 is counted. */
export const controlPlaneCluster = 'xds-grpc';

export interface ControlPlaneLinkOptions {
  readonly identity: Pick<WorkloadIdentity, 'id' | 'xdsAddress' | 'certificate' | 'bundle'>;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Absent for not being counted. */
  readonly metrics?: Http2Metrics;
}

/** Splits `host:port`, IPv6 addresses in brackets. */
function parseAddress(address: string): TransportAddress {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(separator + 1)) };
}

/**
 * The client of the control plane's services. The certificate and the bundle are read anew for each connection, so that a
 * renewed identity is used from the next one on.
 */
export function connectToControlPlane(options: ControlPlaneLinkOptions): GrpcClient {
  const { identity, ...environment } = options;
  const expected = controlPlaneSpiffeId(trustDomainOf(identity.id));
  let stranger: string | null = null;
  const security = meshSecurity({
    secrets: new IdentitySecrets(identity),
    acceptPeer: (id) => {
      if (id === expected) return true;
      stranger = id;
      return false;
    },
    alpn: ['h2'],
  });
  const [address = '', ...alternatives] = identity.xdsAddress.split(',');
  return new GrpcClient({
    ...environment,
    address: parseAddress(address),
    alternatives: alternatives.map(parseAddress),
    // Connections last, and a control plane that has restarted knows none of the sessions before.
    security: { ...security, maxSessions: 0 },
    explainFailure: () => {
      const id = stranger;
      stranger = null;
      return id === null ? null : `the server is not this mesh's control plane: it is ${id}`;
    },
  });
}
