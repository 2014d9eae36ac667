// For an application that is its own proxy: what its gRPC library reads.
import { join } from 'node:path';
import { type Logger, errorMessage } from '@heddle/base';
import { type WorkloadIdentity, writeFileAtomically } from '@heddle/identity';
import { foreignNode } from './agent-node.ts';
import type { AgentOptions } from './agent-options.ts';
import { CertificateDirectory } from './certificate-directory.ts';
import type { ForeignDataPlane } from './foreign-data-plane.ts';
import { grpcBootstrap } from './grpc-bootstrap.ts';
import { grpcBootstrapFile } from './grpc-bootstrap-file.ts';

export class GrpcApplication implements ForeignDataPlane {
  private readonly options: AgentOptions;
  private readonly identity: WorkloadIdentity;
  private readonly logger: Logger;
  private readonly certificates: CertificateDirectory;
  private writing: Promise<void> = Promise.resolve();
  private unwatch: (() => void) | null = null;

  constructor(options: AgentOptions, identity: WorkloadIdentity, logger: Logger) {
    this.options = options;
    this.identity = identity;
    this.logger = logger;
    this.certificates = new CertificateDirectory(join(options.stateDirectory, 'certificates'));
  }

  async start(socketPath: string): Promise<void> {
    await this.certificates.write(this.identity);
    this.unwatch = this.identity.onChange(() => {
      this.writing = this.writing
        .then(() => this.certificates.write(this.identity))
        .catch((error: unknown) =>
          this.logger.error('The new certificate cannot be written', { reason: errorMessage(error) }),
        );
    });
    const bootstrap = grpcBootstrap(foreignNode(this.options), socketPath, this.certificates.files);
    const text = `${JSON.stringify(bootstrap, null, 2)}\n`;
    await writeFileAtomically(grpcBootstrapFile(this.options.stateDirectory), text);
  }

  /** Only the application knows what it does. */
  drain(): Promise<number> {
    return Promise.resolve(0);
  }

  async close(): Promise<void> {
    this.unwatch?.();
    await this.writing;
  }
}
