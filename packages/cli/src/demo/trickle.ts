// A trickle of visitors, so that there is something to see.
import { Agent, get, type IncomingMessage } from 'node:http';
import type { Clock, Random } from '@heddle/base';
import { delay } from '../supervisor/delay.ts';

const requestsPerSecond = 5;
const timeoutMs = 5_000;
/** Some visitors are signed in; one is called as in everybody's first example of routing by header. */
const visitors = ['', '', '', 'jason', 'dolly'];

/** Asks for the page once; the status, 0 where there was no answer. */
export async function visit(
  url: string,
  agent: Agent | undefined,
): Promise<{ status: number; body: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; body: string }>();
  const request = get(
    url,
    { ...(agent === undefined ? {} : { agent }), timeout: timeoutMs },
    (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve({ status: 0, body: '' }));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    },
  );
  request.once('timeout', () => request.destroy());
  request.once('error', () => resolve({ status: 0, body: '' }));
  return await promise;
}

/** Visits until the signal is aborted: at even intervals with some jitter, whether or not answers are quick. */
export async function trickle(url: string, clock: Clock, random: Random, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: requestsPerSecond });
  while (!signal.aborted) {
    const visitor = visitors[random.uint32() % visitors.length]!;
    void visit(`${url}?user=${visitor}`, agent);
    await delay(clock, (1000 / requestsPerSecond) * (0.5 + random.float()), signal);
  }
  agent.destroy();
}
