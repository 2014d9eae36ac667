import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Grpc from '@grpc/grpc-js';
import { repositoryRoot } from '../../e2e/support/sandbox.ts';

/** `@grpc/grpc-js-xds` as the generator of protocol buffers has it: for its .proto files, and here for its code. */
const owner = join(repositoryRoot, 'tools/protogen/package.json');

interface GrpcXds {
  readonly grpc: typeof Grpc;
  readonly xds: {
    readonly XdsServer: new () => Grpc.Server;
    readonly XdsChannelCredentials: new (fallback: Grpc.ChannelCredentials) => Grpc.ChannelCredentials;
    readonly XdsServerCredentials: new (fallback: Grpc.ServerCredentials) => Grpc.ServerCredentials;
    register(): void;
  };
}

/** Where it is installed; null where it isn't (`npm ci --prefix tools/protogen`). */
export function findGrpcXds(): string | null {
  const directory = join(repositoryRoot, 'tools/protogen/node_modules/@grpc/grpc-js-xds');
  return existsSync(directory) ? directory : null;
}

/** Both, of one installation: they share state. */
export function loadGrpcXds(): GrpcXds {
  const load = createRequire(owner);
  return {
    grpc: load('@grpc/grpc-js') as typeof Grpc,
    xds: load('@grpc/grpc-js-xds') as GrpcXds['xds'],
  };
}
