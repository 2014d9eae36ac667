// The closed-loop load over HTTP/2: h2load, which sends an exact number of requests.
import { findProgram } from '@heddle/testkit';
import { loadCore, startPinned } from './processes.ts';

/** What every request of a run is. */
export interface H2Request {
  readonly path: string;
  readonly headers: readonly string[];
  /** A file that is posted; null for GET. */
  readonly bodyFile: string | null;
}

/** How the requests are spread. */
export interface H2Shape {
  readonly connections: number;
  /** On each of them at a time. */
  readonly streams: number;
}

export interface H2LoadResult {
  readonly answered: number;
  /** Of the answers' bodies. */
  readonly bodyBytes: number;
  readonly durationUs: number;
  readonly meanUs: number;
  /** Answers other than 2xx, and requests without any. */
  readonly errors: number;
}

const units: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000, m: 60_000_000 };

function microseconds(text: string): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) throw new Error(`${text} is no duration`);
  return Number(number) * units[unit]!;
}

/** Reads what h2load prints. Throws where it has printed no result. */
export function parseH2load(output: string): H2LoadResult {
  const finished = /^finished in ([\d.]+\w+), /m.exec(output);
  const requests = /^requests: (\d+) total, .* (\d+) succeeded, /m.exec(output);
  const traffic = /\((\d+)\) data$/m.exec(output);
  const times = /^time for request: +\S+ +\S+ +(\S+) /m.exec(output);
  if (finished === null || requests === null || traffic === null || times === null)
    throw new Error(`h2load printed no result:\n${output}`);
  const answered = Number(requests[2]);
  return {
    answered,
    bodyBytes: Number(traffic[1]),
    durationUs: microseconds(finished[1]!),
    meanUs: microseconds(times[1]!),
    errors: Number(requests[1]) - answered,
  };
}

/** Sends so many requests to a port of the loopback. */
export async function h2load(
  port: number,
  request: H2Request,
  shape: H2Shape,
  count: number,
): Promise<H2LoadResult> {
  const { path, headers, bodyFile } = request;
  const parameters = ['-c', String(shape.connections), '-m', String(shape.streams), '-n', String(count)];
  for (const header of headers) parameters.push('-H', header);
  if (bodyFile !== null) parameters.push('-d', bodyFile);
  parameters.push(`http://127.0.0.1:${port}${path}`);
  await using child = await startPinned(loadCore, {
    program: findProgram('h2load')!,
    arguments: parameters,
  });
  await child.ended(300_000);
  return parseH2load(child.output);
}

/**
 * Loads for about so many seconds, by counting first how far it gets in a moment: the warm-up. `sent` is what both have
 * sent.
 */
export async function h2loadFor(
  port: number,
  request: H2Request,
  shape: H2Shape,
  warmUpCount: number,
  seconds: number,
  /** Called between the two. */
  begin: () => void,
): Promise<H2LoadResult & { readonly sent: number }> {
  const warmUp = await h2load(port, request, shape, warmUpCount);
  const perSecond = (warmUp.answered * 1_000_000) / warmUp.durationUs;
  const inFlight = shape.connections * shape.streams;
  const count = Math.max(1, Math.round((perSecond * seconds) / inFlight)) * inFlight;
  begin();
  const result = await h2load(port, request, shape, count);
  return { ...result, errors: warmUp.errors + result.errors, sent: warmUpCount + count };
}
