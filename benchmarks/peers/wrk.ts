// The closed-loop load: wrk, with a script that counts what it sends.
import { findProgram } from '@heddle/testkit';
import { loadCore, startPinned } from './processes.ts';

/** What one run says. */
export interface WrkResult {
  /** Requests sent, those cut off at the end included. */
  readonly sent: number;
  /** Length of each of them. */
  readonly requestBytes: number;
  readonly answered: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Responses other than 2xx and 3xx, and connections that failed. */
  readonly errors: number;
}

/** Reads what `wrk.lua` prints. Throws where it has printed nothing. */
export function parseWrk(output: string): WrkResult {
  const line = /^result (\{.*\})$/m.exec(output);
  if (line === null) throw new Error(`wrk printed no result:\n${output}`);
  return JSON.parse(line[1]!) as WrkResult;
}

export async function wrk(url: string, connections: number, seconds: number): Promise<WrkResult> {
  const script = new URL('wrk.lua', import.meta.url).pathname;
  const parameters = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url];
  await using child = await startPinned(loadCore, { program: findProgram('wrk')!, arguments: parameters });
  await child.ended((seconds + 30) * 1000);
  return parseWrk(child.output);
}
