// An application whose gRPC library is its proxy (`serve-xds`, `client`), or which knows nothing of a mesh (`serve`).
//
// Servers answer /who with their name and whose certificate they were shown. A client does over HTTP what a test asks for:
// `/?target=xds:///a:80&count=10&header=x-user:me` is answered with the answers that it got.
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type * as Grpc from '@grpc/grpc-js';
import { loadGrpcXds } from './grpc-xds.ts';

const { grpc, xds } = loadGrpcXds();
const [mode = '', name = ''] = process.argv.slice(2);
const port = process.env['PORT'];
const path = '/heddle.test.Who/Ask';
const bytes = (value: Buffer): Buffer => value;

function whoever(call: Grpc.ServerUnaryCall<Buffer, Buffer>): string {
  const told = call.metadata.get('x-forwarded-client-cert')[0];
  if (told !== undefined) return /URI=([^;,]*)/.exec(String(told))?.[1] ?? '';
  const shown = call.getAuthContext().sslPeerCertificate?.raw;
  return shown === undefined ? '' : (new X509Certificate(shown).subjectAltName?.replace(/^URI:/, '') ?? '');
}

function serve(isXds: boolean): void {
  const server = isXds ? new xds.XdsServer() : new grpc.Server();
  const method = {
    path,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  const ask: Grpc.handleUnaryCall<Buffer, Buffer> = (call, reply) =>
    reply(null, Buffer.from(`${name} ${whoever(call)}`));
  server.addService({ ask: method }, { ask });
  const plain = grpc.ServerCredentials.createInsecure();
  const credentials = isXds ? new xds.XdsServerCredentials(plain) : plain;
  server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => {
    if (error !== null) throw error;
  });
  process.on('SIGTERM', () => process.exit(0));
}

function client(): void {
  const channels = new Map<string, Grpc.Client>();
  const channelTo = (target: string): Grpc.Client => {
    let channel = channels.get(target);
    if (channel === undefined) {
      const credentials = new xds.XdsChannelCredentials(grpc.credentials.createInsecure());
      channel = new grpc.Client(target, credentials);
      channels.set(target, channel);
    }
    return channel;
  };
  const call = (target: string, metadata: Grpc.Metadata): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const deadline = Date.now() + 5000;
    channelTo(target).makeUnaryRequest(
      path,
      bytes,
      bytes,
      Buffer.alloc(0),
      metadata,
      { deadline },
      (error, answer) => resolve(error === null ? String(answer) : `failed ${error.code} ${error.details}`),
    );
    return promise;
  };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://client');
    const metadata = new grpc.Metadata();
    for (const header of searchParams.getAll('header')) {
      const [key = '', value = ''] = header.split(':');
      metadata.set(key, value);
    }
    const count = Number(searchParams.get('count') ?? 1);
    const calls = Array.from({ length: count }, () => call(searchParams.get('target') ?? '', metadata));
    void Promise.all(calls).then((answers) => response.end(JSON.stringify(answers)));
  });
  server.listen(Number(port), '127.0.0.1', () => console.log(`client on ${port}`));
}

// Servers need it too: it brings the filters that listeners have.
xds.register();
if (mode === 'client') client();
else serve(mode === 'serve-xds');
