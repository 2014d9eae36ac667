import type { Observation, SeenMessage } from './case.ts';

function messageLines(place: string, message: SeenMessage): string[] {
  const { line, fields, framing, body, trailers } = message;
  return [
    `${place} ${line}`,
    ...fields.map((field) => `${place} field ${field}`),
    ...(framing === 'none' ? [] : [`${place} framed by ${framing}, body ${JSON.stringify(body)}`]),
    ...trailers.map((trailer) => `${place} trailer ${trailer}`),
  ];
}

/** Everything that was observed, a line each. */
export function observationLines(observation: Observation): string[] {
  const { responses, received, connection, upstream, upstreamBytes, counters, log, stalled } = observation;
  return [
    ...responses.flatMap((message, index) => messageLines(`response ${index + 1}`, message)),
    ...(received === '' ? [] : [`client read ${JSON.stringify(received)}`]),
    `connection ${connection}`,
    ...upstream.flatMap((message, index) => messageLines(`request ${index + 1}`, message)),
    ...(upstreamBytes === '' ? [] : [`upstream read ${JSON.stringify(upstreamBytes)}`]),
    ...log.map((line) => `log ${line}`),
    ...Object.entries(counters).map(([name, by]) => `${name} +${by}`),
    ...(stalled === '' ? [] : [`waited in vain for ${stalled}`]),
  ];
}

/** The lines of `some` that `others` have not. */
export function linesOnlyIn(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((line) => !others.includes(line));
}
