import type { Socket } from 'node:net';
import { type TestServer, startTcpServer } from './test-server.ts';

/** Calls `onHead` once for each connection, when a whole request head has arrived. */
function afterHead(socket: Socket, onHead: () => void): void {
  let seen = '';
  const look = (chunk: Buffer): void => {
    seen += chunk.toString('latin1');
    if (!seen.includes('\r\n\r\n')) return;
    socket.off('data', look);
    socket.resume();
    onHead();
  };
  socket.on('data', look);
}

/** Accepts connections and never says anything. */
export function startSilentServer(): Promise<TestServer> {
  return startTcpServer((socket) => socket.resume());
}

/** Answers with a body that comes byte by byte, one every `intervalMs`. */
export function startSlowServer(body = 'slow', intervalMs = 20): Promise<TestServer> {
  return startTcpServer((socket) => {
    afterHead(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
      let position = 0;
      const timer = setInterval(() => {
        socket.write(body[position++] ?? '');
        if (position >= body.length) clearInterval(timer);
      }, intervalMs);
      socket.on('close', () => clearInterval(timer));
    });
  });
}

/** Promises `contentLength` bytes, sends `sent` of them and resets the connection. */
export function startResetServer(contentLength = 1000, sent = 100): Promise<TestServer> {
  return startTcpServer((socket) => {
    afterHead(socket, () => {
      const bytes = `HTTP/1.1 200 OK\r\ncontent-length: ${contentLength}\r\n\r\n${'x'.repeat(sent)}`;
      socket.write(bytes, () => socket.resetAndDestroy());
    });
  });
}

/** Promises `contentLength` bytes, sends `sent` of them and ends in order. */
export function startTruncatingServer(contentLength = 1000, sent = 100): Promise<TestServer> {
  return startTcpServer((socket) => {
    afterHead(socket, () =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${contentLength}\r\n\r\n${'x'.repeat(sent)}`),
    );
  });
}

/** Answers as soon as the head is there, whatever body may follow, then closes if asked to. */
export function startEarlyServer(status = '413 Content Too Large', closes = false): Promise<TestServer> {
  return startTcpServer((socket) => {
    afterHead(socket, () => {
      const close = closes ? 'connection: close\r\n' : '';
      socket.write(`HTTP/1.1 ${status}\r\n${close}content-length: 5\r\n\r\nearly`);
      if (closes) socket.end();
    });
  });
}

/** Answers with these bytes, whatever they are, and closes. The default is no HTTP at all. */
export function startGarbageServer(
  bytes: string | Buffer = '\u0000\u0001garbage\r\n\r\n',
): Promise<TestServer> {
  return startTcpServer((socket) => {
    afterHead(socket, () => socket.end(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes));
  });
}

/** Closes each connection as soon as it is accepted; with a reset if asked to. */
export function startClosingServer(resets = false): Promise<TestServer> {
  return startTcpServer((socket) => {
    if (resets) socket.resetAndDestroy();
    else socket.end();
  });
}

/** Sends these bytes as they are, one piece after the other, each as a write of its own; then ends. */
export function startScriptedServer(pieces: readonly string[]): Promise<TestServer> {
  return startTcpServer((socket) => {
    socket.setNoDelay(true);
    afterHead(socket, () => {
      const next = (index: number): void => {
        if (index >= pieces.length) socket.end();
        else socket.write(pieces[index]!, 'latin1', () => setImmediate(() => next(index + 1)));
      };
      next(0);
    });
  });
}
