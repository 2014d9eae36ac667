// What a proxy adds to the latency of a direct connection, at a fixed rate: half of what the slowest peer can do.
import { http1Backend } from './backend.ts';
import { type FortioResult, fortio } from './fortio.ts';
import type { Peer } from './peer.ts';
import { frontPort } from './place.ts';
import { proveCount, proveStrictness } from './proof.ts';
import { type Bench, type Sample, type Suite, withPeer } from './suite.ts';
import { wrk } from './wrk.ts';

const connections = 16;
const peakConnections = 32;
const peakSeconds = 2;
/** For some seconds under load, a runtime compiles what is hot: latency is that of a proxy that has been at work. */
const warmUpSeconds = 5;

export const latencySuite: Suite = {
  name: 'latency',
  title: `${connections} connections at half of the slowest peer's peak, each round beside a direct connection`,
  front: 'http',
  backend: http1Backend(128),
  needs: ['wrk', 'fortio'],
  rounds: 9,
  seconds: 3,
  columns: [
    { key: 'addedP50Us', title: 'added p50 µs', digits: 0 },
    { key: 'addedP99Us', title: 'added p99 µs', digits: 0 },
    { key: 'addedP999Us', title: 'added p99.9 µs', digits: 0 },
    { key: 'p50Us', title: 'p50 µs', digits: 0 },
    { key: 'p99Us', title: 'p99 µs', digits: 0 },
    { key: 'p999Us', title: 'p99.9 µs', digits: 0 },
    { key: 'requestsPerSecond', title: 'req/s', digits: 0 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  run: async (bench) => {
    const rate = await chooseRate(bench);
    const samples: Sample[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      const line: string[] = [];
      for (const peer of bench.peers) {
        const values = await measure(bench, peer, rate);
        samples.push({ peer: peer.name, values });
        line.push(`${peer.name} ${values['addedP50Us']!.toFixed(0)}/${values['addedP99Us']!.toFixed(0)}`);
      }
      bench.say(`round ${round}  added p50/p99 in µs: ${line.join(', ')}`);
    }
    return samples;
  },
};

async function chooseRate(bench: Bench): Promise<number> {
  let slowest = Number.POSITIVE_INFINITY;
  for (const peer of bench.peers) {
    const peak = await withPeer(bench, peer, latencySuite, async ({ place }) => {
      const url = `http://127.0.0.1:${frontPort(place)}/`;
      await wrk(url, peakConnections, warmUpSeconds);
      const result = await wrk(url, peakConnections, peakSeconds);
      return (result.answered * 1_000_000) / result.durationUs;
    });
    bench.say(`peak  ${peer.name.padEnd(8)} ${peak.toFixed(0)} requests/s`);
    slowest = Math.min(slowest, peak);
  }
  const rate = Math.floor(slowest / 2);
  bench.say(`rate  ${rate} requests/s`);
  return rate;
}

/** One peer and, right before it, the direct connection: what noise there is meets both. */
function measure(bench: Bench, peer: Peer, rate: number): Promise<Record<string, number>> {
  return withPeer(bench, peer, latencySuite, async ({ place, backend }) => {
    const url = (port: number): string => `http://127.0.0.1:${port}/`;
    const warm = await wrk(url(frontPort(place)), peakConnections, warmUpSeconds);
    const direct = await fortio(url(place.backendPort), connections, rate, bench.seconds);
    const before = await backend.count();
    const through = await fortio(url(frontPort(place)), connections, rate, bench.seconds);
    const passed = (await backend.count()) - before;
    await proveCount(peer, place, { requests: warm.sent + passed, bytes: 0 });
    await proveStrictness(peer, place);
    return {
      ...added(through, direct),
      requestsPerSecond: through.requestsPerSecond,
      errors: through.errors + direct.errors,
    };
  });
}

/** What the way adds to a direct connection. */
export function added(through: FortioResult, direct: FortioResult): Record<string, number> {
  return {
    addedP50Us: through.p50Us - direct.p50Us,
    addedP99Us: through.p99Us - direct.p99Us,
    addedP999Us: through.p999Us - direct.p999Us,
    p50Us: through.p50Us,
    p99Us: through.p99Us,
    p999Us: through.p999Us,
  };
}
