// The client of one side: does the steps of a case and keeps what comes back.
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { DifferentialCase, SeenMessage } from './case.ts';
import type { Certificates } from './certificates.ts';
import { Changes } from './changes.ts';
import { readMessage } from './message-reader.ts';
import { probePath } from './upstream.ts';

const probe = `GET ${probePath} HTTP/1.1\r\nHost: probe\r\n\r\n`;

export class Client {
  readonly changes = new Changes();
  text = '';
  isClosed = false;
  private sent = '';
  private readonly socket: Socket;

  constructor(port: number, tls: DifferentialCase['tls'], certificates: Certificates) {
    const socket =
      tls === undefined
        ? connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
        : connectTls({
            port,
            host: '127.0.0.1',
            ca: certificates.authority,
            ...(tls.certificate === undefined ? {} : certificates.of[tls.certificate]),
            servername: tls.serverName ?? 'localhost',
            checkServerIdentity: () => undefined,
            ...(tls.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
          });
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.changes.tell();
    });
    const closed = (): void => {
      this.isClosed = true;
      this.changes.tell();
    };
    socket.on('error', closed);
    socket.on('end', closed);
    socket.on('close', closed);
  }

  send(text: string): void {
    this.sent += text;
    if (this.socket.writable) this.socket.write(text, 'latin1');
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
    this.isClosed = true;
  }

  /** Responses that are complete, interim ones too. */
  responses(): { readonly all: SeenMessage[]; readonly final: number } {
    const methods = [...this.sent.matchAll(/^([A-Z]+) \S+ HTTP\/1\.[01]\r$/gm)].map((match) => match[1]!);
    const all: SeenMessage[] = [];
    let final = 0;
    let at = 0;
    for (;;) {
      const read = readMessage(this.text, at, {
        isResponse: true,
        hasNoBody: methods[final] === 'HEAD',
        isClosed: this.isClosed,
      });
      if (read === null) return { all, final };
      at = read.end;
      const status = Number(read.message.line.split(' ')[1]);
      all.push(read.message);
      if (status >= 200 || status === 101) final++;
      if (status === 101) return { all, final };
    }
  }

  /** Whether the connection still takes a request; its answer, if any, is not part of what was observed. */
  async isOpen(limitMs: number): Promise<boolean> {
    if (this.isClosed) return false;
    const before = this.text.length;
    this.send(probe);
    await this.changes.until(() => this.isClosed || this.text.length > before, limitMs);
    const answered = this.text.length > before;
    this.text = this.text.slice(0, before);
    return answered;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
