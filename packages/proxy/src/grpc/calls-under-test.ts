import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { HttpFilter } from '../http/http-filter.ts';
import { type RequestToSend, startHttp2Upstream } from '../http/http2-upstream-under-test.ts';
import { dottedName } from '../admin/stat-names.ts';
import type { ProxyOptions, ProxyUnderTest } from '../http/proxy-under-test.ts';

/** A message as gRPC sends it. */
export function message(text: string): Buffer {
  return Buffer.from(`\0\0\0\0${String.fromCharCode(text.length)}${text}`, 'latin1');
}

/** A request as a server of gRPC saw it. */
export interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What it does when the request is complete. */
export type Answer = (stream: ServerHttp2Stream) => void;

/** Two messages, and that all went well. */
export const answersTwo: Answer = (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.write(message('one'));
  stream.end(message('four'));
};

/** How a call is made. */
export interface AskOptions {
  readonly answer?: Answer;
  readonly over?: 'http1' | 'http2';
}

/** Asks once through a proxy; what the server of gRPC saw and what the client got. */
export async function ask(
  t: { after(fn: () => unknown): void },
  request: RequestToSend,
  filters: readonly HttpFilter[],
  { answer = answersTwo, over = 'http1', ...options }: Partial<ProxyOptions> & AskOptions = {},
) {
  const seen: Seen[] = [];
  const grpcStatuses: number[] = [];
  const upstream = await startHttp2Upstream(
    t,
    (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        seen.push({ headers, body: Buffer.concat(chunks) });
        answer(stream);
      });
    },
    {
      filters,
      calls: { stats: null, traffic: null },
      onFinished: ({ grpcStatus }) => void grpcStatuses.push(grpcStatus),
      ...options,
    },
  );
  const got = await upstream[over]({ method: 'POST', path: '/a.B/C', ...request });
  return { ...got, seen, proxy: upstream.proxy, grpcStatuses };
}

/** The counters that begin with `prefix` and aren't 0, by the rest of their names. */
export function countsOf({ registry }: ProxyUnderTest, prefix: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, samples } of registry.collect()) {
    for (const sample of samples) {
      const dotted = dottedName(name, sample.labels);
      if ('value' in sample && sample.value > 0 && dotted.startsWith(prefix))
        counts[dotted.slice(prefix.length)] = sample.value;
    }
  }
  return counts;
}
