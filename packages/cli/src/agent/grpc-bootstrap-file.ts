import { join } from 'node:path';

/** What `GRPC_XDS_BOOTSTRAP` names in the application's environment. */
export function grpcBootstrapFile(stateDirectory: string): string {
  return join(stateDirectory, 'grpc-bootstrap.json');
}
