// Requests as an application sends them: to a loopback listener of its sidecar, or through HTTP_PROXY.
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';

export interface Call {
  /** `http://host:port/path`. */
  readonly url: string;
  /** Value of HTTP_PROXY; the URL goes into the request line then. */
  readonly proxy?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const timeoutMs = 10_000;

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Sends one request; rejects where no whole answer comes. */
export async function send(call: Call): Promise<Answer> {
  const url = new URL(call.url);
  const next = call.proxy === undefined ? url : new URL(call.proxy);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({
    host: next.hostname,
    port: next.port,
    path: call.proxy === undefined ? url.pathname + url.search : call.url,
    method: call.method ?? 'GET',
    headers: { host: url.host, ...call.headers },
    timeout: timeoutMs,
    ...(call.agent === undefined ? {} : { agent: call.agent }),
  });
  request.once('response', resolve);
  request.once('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  request.once('error', reject);
  request.end(call.body);
  const response = await promise;
  return { status: response.statusCode ?? 0, headers: response.headers, body: await read(response) };
}

/** Sends `count` requests over at most `concurrency` kept connections; counts what `classify` makes of the answers. */
export async function sendMany(
  count: number,
  call: Call,
  classify: (answer: Answer) => string,
  concurrency = 8,
): Promise<ReadonlyMap<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const counts = new Map<string, number>();
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left--;
      const kind = classify(await send({ ...call, agent }));
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
  } finally {
    agent.destroy();
  }
  return counts;
}
