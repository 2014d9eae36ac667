// The client of one side where it speaks HTTP/2: makes requests one after the other and keeps what comes back.
import {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  connect,
} from 'node:http2';
import type { SeenMessage, StreamRequest } from './case.ts';
import { linesOf, seenFields } from './message-reader.ts';
import { probePath } from './upstream.ts';

export class Http2Client {
  private readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on('error', () => undefined);
  }

  /** Makes a request and waits for its end; null where that doesn't come within `limitMs`. */
  async ask({ fields, body, trailers }: StreamRequest, limitMs: number): Promise<SeenMessage | null> {
    const endStream = body === undefined && trailers === undefined;
    const stream = this.session.request(
      { ':method': 'POST', ':path': '/', ':authority': 'a', ...fields },
      { endStream, waitForTrailers: trailers !== undefined },
    );
    let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    let after: IncomingHttpHeaders = {};
    let received = '';
    stream.on('error', () => undefined);
    stream.on('response', (came) => {
      head = came;
    });
    stream.on('trailers', (came: IncomingHttpHeaders) => {
      after = came;
    });
    stream.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
    if (!endStream) stream.end(body === undefined ? '' : Buffer.from(body, 'latin1'));
    const hasEnded = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      stream.on('close', () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    if (!hasEnded) return null;
    const { ':status': status, ...rest } = head;
    // A code says little: where the connection ends, the client makes one up.
    const ending = stream.rstCode === 0 ? '' : ', cut off';
    return {
      line: `HTTP/2 ${status ?? 'without a head'}${ending}`,
      fields: seenFields(linesOf(rest)),
      framing: received === '' ? 'none' : 'stream',
      body: received,
      trailers: seenFields(linesOf(after)),
    };
  }

  /** Whether the connection still takes a request. */
  async isOpen(limitMs: number): Promise<boolean> {
    if (this.session.closed || this.session.destroyed) return false;
    const answer = await this.ask({ fields: { ':method': 'GET', ':path': probePath } }, limitMs);
    return answer !== null && !answer.line.includes('without');
  }

  destroy(): void {
    this.session.destroy();
  }
}
