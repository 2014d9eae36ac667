// As much of a gRPC server as one bidirectional stream needs, over HTTP/2 without TLS: the other end of a measurement.
import { createServer, type IncomingHttpHeaders, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { RpcCode, type RpcMethod, type RpcStatus, type RpcStream, type RpcStreamHandler } from '@heddle/xds';

const peer = {
  identity: 'spiffe://cluster.local/ns/default/sa/client',
  remoteAddress: '127.0.0.1',
  certificateNotAfter: Number.MAX_SAFE_INTEGER,
};

/** Serves `methods` by path. */
export function createGrpcServer(methods: ReadonlyMap<string, RpcMethod>): Http2Server {
  const server = createServer({ settings: { initialWindowSize: 1 << 20 } });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const method = methods.get(headers[':path'] ?? '');
    if (method?.kind !== 'stream') {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 12 },
        { endStream: true },
      );
      return;
    }
    serve(stream, method);
  });
  return server;
}

function serve(stream: ServerHttp2Stream, method: Extract<RpcMethod, { kind: 'stream' }>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  let status: RpcStatus = { code: RpcCode.ok, message: '' };
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ 'grpc-status': status.code, 'grpc-message': status.message }),
  );
  const rpc: RpcStream = {
    send: (message) => {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.write(head);
      return stream.write(message);
    },
    end: (given) => {
      status = given ?? status;
      stream.end();
    },
    cancel: () => stream.close(),
  };
  const handler: RpcStreamHandler = method.open(rpc, peer);
  let held: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1);
      handler.onMessage(held.subarray(5, end));
      held = held.subarray(end);
    }
  });
  stream.on('drain', () => handler.onWritable());
  stream.on('end', () => handler.onHalfClose());
  stream.on('error', () => undefined);
  stream.on('close', () => handler.onEnd({ code: RpcCode.cancelled, message: 'the stream was closed' }));
}
