import type { Socket } from 'node:net';
import { type Clock, type Result, err, errorMessage, ok } from '@heddle/base';

/** An HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** A root and a chain take a few kilobytes. */
const maxAnswerBytes = 256 * 1024;

/**
 * Reads a whole HTTP/1.1 answer to a request with `connection: close`. Only what our own join listener sends is
 * understood: a body with `content-length`, or one that ends with the connection.
 */
function parseAnswer(bytes: Buffer): Result<HttpAnswer, string> {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return err('the answer is cut off');
  const [statusLine = '', ...fields] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) return err('the answer is not HTTP');
  const body = bytes.subarray(headEnd + 4);
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    if (name === 'transfer-encoding') return err('the answer has a transfer encoding');
    if (name === 'content-length' && value !== String(body.length)) return err('the answer is cut off');
  }
  return ok({ status: Number(status), body: body.toString('utf8') });
}

/** One exchange on a connected socket that serves for nothing else; it is destroyed afterwards. */
export function exchange(
  socket: Socket,
  request: string,
  clock: Clock,
  timeoutMs: number,
): Promise<Result<HttpAnswer, string>> {
  const { promise, resolve } = Promise.withResolvers<Result<HttpAnswer, string>>();
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = clock.setTimer(timeoutMs, () => finish(err(`no answer within ${timeoutMs} ms`)));
  const finish = (outcome: Result<HttpAnswer, string>): void => {
    timer.cancel();
    resolve(outcome);
    socket.destroy();
  };
  socket.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxAnswerBytes) finish(err('the answer is too long'));
    else chunks.push(chunk);
  });
  socket.on('end', () => finish(parseAnswer(Buffer.concat(chunks))));
  socket.on('error', (error) => finish(err(errorMessage(error))));
  socket.on('close', () => finish(err('the connection was closed')));
  socket.write(request);
  return promise;
}
