// The bootstrap of gRPC's xDS clients (gRFC A27, A29, A36), which is read by the application itself.
import type { ForeignNode } from './agent-node.ts';

/** The certificate provider's name: the control plane's clusters and listeners refer to it. Istio's. */
const certificateProvider = 'default';

/** Where the application finds the workload's credentials. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly privateKey: string;
  readonly roots: string;
}

/** The content of the file that `GRPC_XDS_BOOTSTRAP` names. */
export function grpcBootstrap(node: ForeignNode, socketPath: string, files: CertificateFiles): object {
  return {
    xds_servers: [
      {
        server_uri: `unix://${socketPath}`,
        // Nobody but this user can open the socket; the agent's way to the control plane is mTLS.
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    // gRPC wants a locality; where it is nobody has said.
    node: { ...node, locality: {} },
    certificate_providers: {
      [certificateProvider]: {
        plugin_name: 'file_watcher',
        config: {
          certificate_file: files.certificate,
          private_key_file: files.privateKey,
          ca_certificate_file: files.roots,
          refresh_interval: '10s',
        },
      },
    },
    server_listener_resource_name_template: 'grpc/server?xds.resource.listening_address=%s',
  };
}
