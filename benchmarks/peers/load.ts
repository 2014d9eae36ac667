// Suites in which a closed loop keeps the proxy's core busy: what a request costs.
import { http1Backend } from './backend.ts';
import type { Peer } from './peer.ts';
import { type Front, frontPort } from './place.ts';
import { ProcessTree, mebibytes } from './processes.ts';
import { proveBackend, proveCount, proveStrictness } from './proof.ts';
import { type Bench, type Column, type Sample, type Suite, withPeer } from './suite.ts';
import { wrk } from './wrk.ts';

const connections = 32;
const warmUpSeconds = 2;

const columns: readonly Column[] = [
  { key: 'cpuUs', title: 'CPU µs/req', digits: 1 },
  { key: 'requestsPerSecond', title: 'req/s', digits: 0 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'p999Ms', title: 'p99.9 ms', digits: 2 },
  { key: 'privateMiB', title: 'private MiB', digits: 1 },
  { key: 'residentMiB', title: 'RSS MiB', digits: 1 },
  { key: 'errors', title: 'errors', digits: 0 },
];

/** `bodyBytes` is the length of each response's body. */
export function loadSuite(name: string, front: Front, bodyBytes: number): Suite {
  const suite: Suite = {
    name,
    title: `${connections} connections over ${front}, responses of ${bodyBytes} bytes`,
    front,
    backend: http1Backend(bodyBytes),
    needs: ['wrk', ...(front === 'https' ? ['openssl'] : [])],
    rounds: 3,
    seconds: 5,
    columns,
    run: async (bench) => {
      const samples: Sample[] = [];
      for (let round = 1; round <= bench.rounds; round++) {
        for (const peer of bench.peers) {
          const values = await measure(bench, suite, peer);
          samples.push({ peer: peer.name, values });
          bench.say(
            `round ${round}  ${peer.name.padEnd(8)} ${values['cpuUs']!.toFixed(1)} µs/request, ` +
              `${values['requestsPerSecond']!.toFixed(0)} requests/s`,
          );
        }
      }
      return samples;
    },
  };
  return suite;
}

function measure(bench: Bench, suite: Suite, peer: Peer): Promise<Record<string, number>> {
  return withPeer(bench, peer, suite, async ({ place, proxies, backend }) => {
    const url = `${place.front === 'https' ? 'https' : 'http'}://127.0.0.1:${frontPort(place)}/`;
    const warmUp = await wrk(url, connections, warmUpSeconds);
    const tree = ProcessTree.of(proxies);
    const before = tree.cpuMs;
    const result = await wrk(url, connections, bench.seconds);
    const cpuMs = tree.cpuMs - before;
    const { memory } = tree;
    const requests = warmUp.sent + result.sent;
    await proveCount(peer, place, { requests, bytes: requests * result.requestBytes });
    await proveStrictness(peer, place);
    proveBackend(peer, await backend.count(), warmUp.answered + result.answered, requests);
    return {
      cpuUs: (cpuMs * 1000) / result.answered,
      requestsPerSecond: (result.answered * 1_000_000) / result.durationUs,
      p50Ms: result.p50Us / 1000,
      p99Ms: result.p99Us / 1000,
      p999Ms: result.p999Us / 1000,
      privateMiB: mebibytes(memory.private),
      residentMiB: mebibytes(memory.resident),
      errors: result.errors,
    };
  });
}
