// Envoy's admin interface, as far as its agent needs it.
import { request } from 'node:http';
import type { BindAddress } from '@heddle/proxy';

const answerTimeoutMs = 1_000;

export class EnvoyAdmin {
  private readonly address: BindAddress;

  constructor(address: BindAddress) {
    this.address = address;
  }

  /** It has its clusters and listeners, and serves. */
  async isReady(): Promise<boolean> {
    return (await this.ask('GET', '/ready'))?.status === 200;
  }

  /** Accepts no more from others; what the application asks for goes on. */
  async drain(): Promise<void> {
    await this.ask('POST', '/drain_listeners?inboundonly&graceful&skip_exit');
  }

  /** Requests that run, those to its admin interface apart; undefined where it does not say. */
  async activeRequests(): Promise<number | undefined> {
    const answer = await this.ask('GET', '/stats?filter=^http\\..*\\.downstream_rq_active$');
    if (answer?.status !== 200) return undefined;
    let active = 0;
    for (const [, prefix, count] of answer.body.matchAll(/^http\.(.+)\.downstream_rq_active: (\d+)$/gm))
      if (prefix !== 'admin') active += Number(count);
    return active;
  }

  /** Undefined where it does not answer. */
  private ask(method: string, path: string): Promise<{ status: number; body: string } | undefined> {
    const { promise, resolve } = Promise.withResolvers<{ status: number; body: string } | undefined>();
    const { address: host, port } = this.address;
    const asking = request(
      { host, port, method, path, agent: false, timeout: answerTimeoutMs },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', () => resolve(undefined));
      },
    );
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(undefined));
    asking.end();
    return promise;
  }
}
