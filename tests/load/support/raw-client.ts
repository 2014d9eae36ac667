// Clients that say byte for byte what they are told to, and nothing else.
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { LoadedProxy } from './loaded-proxy.ts';

/** What the server behind the proxy answers everything with. */
export const answerBody = 'here you are';
const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

export class RawClient {
  readonly socket: Socket;
  /** What has come since the last answer was taken. */
  text = '';
  isClosed = false;
  private onChange: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
      this.onChange();
    });
    // That a server resets a client which goes on writing is what some tests are about.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.onChange();
    });
  }

  static async connect(proxy: LoadedProxy): Promise<RawClient> {
    const socket = connect(proxy.port('plain'), '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends a request and waits for the whole answer; fails where none comes or it is not the server's. */
  async ask(): Promise<void> {
    this.text = '';
    this.socket.write(request);
    await this.until(() => this.isClosed || this.text.endsWith(answerBody));
    if (!this.text.startsWith('HTTP/1.1 200 ')) throw new Error(`no answer but ${JSON.stringify(this.text)}`);
  }

  async closed(): Promise<void> {
    await this.until(() => this.isClosed);
  }

  close(): Promise<void> {
    this.socket.end();
    return this.closed();
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.onChange = resolve;
      await promise;
    }
  }
}

/** Does something for each, so many at a time. */
export async function inBatches<T, R>(
  all: readonly T[],
  act: (one: T) => Promise<R>,
  size = 100,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < all.length; start += size) {
    results.push(...(await Promise.all(all.slice(start, start + size).map(act))));
  }
  return results;
}

/** Opens connections through the proxy. */
export function openMany(proxy: LoadedProxy, count: number): Promise<RawClient[]> {
  return inBatches(Array.from({ length: count }), () => RawClient.connect(proxy));
}
