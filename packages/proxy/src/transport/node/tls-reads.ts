// TLS sockets read as plain ones do: into buffers of ours, without an allocation, a copy and a stream's event per record.
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { NodeConnection } from './node-connection.ts';
import { firstReadBuffer, readCallback, readOptions } from './node-connection.ts';

/** Where a socket keeps its `onread`: private to Node, so that a socket which was made with the option is asked. */
const keys = findKeys();

/**
 * Makes a TLS socket read with `readOptions`, which Node offers only where it connects by itself; to be called before the
 * first byte has been read. Where Node keeps these things elsewhere some day, bytes come by events. What has been
 * decrypted when the connection is paused comes all the same.
 */
export function readDirectly(socket: TLSSocket, connection: NodeConnection): void {
  const fields = socket as unknown as Record<symbol, unknown> & {
    readonly _handle: { useUserBuffer?(buffer: Buffer): void } | null;
  };
  const { _handle: handle } = fields;
  if (keys === null || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', (chunk: Buffer) => connection.deliver(chunk, chunk.length));
    return;
  }
  const first = firstReadBuffer();
  fields[keys.buffer] = first;
  fields[keys.generator] = readOptions.buffer;
  fields[keys.callback] = readCallback;
  handle.useUserBuffer(first);
  // From now on pausing reaches C++.
  if (socket.isPaused()) socket.pause();
  else socket.resume();
}

function findKeys(): {
  readonly buffer: symbol;
  readonly generator: symbol;
  readonly callback: symbol;
} | null {
  const callback = readCallback;
  const bytes = Buffer.alloc(1);
  const generate = (): Buffer => bytes;
  const buffer = keyOf(new Socket({ onread: { buffer: bytes, callback } }), bytes);
  const generator = keyOf(new Socket({ onread: { buffer: generate, callback } }), generate);
  const callbackKey = keyOf(new Socket({ onread: { buffer: bytes, callback } }), callback);
  if (buffer === undefined || generator === undefined || callbackKey === undefined) return null;
  return { buffer, generator, callback: callbackKey };
}

function keyOf(socket: Socket, value: unknown): symbol | undefined {
  const fields = socket as unknown as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(socket).find((symbol) => fields[symbol] === value);
}
