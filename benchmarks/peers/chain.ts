// The real thing: client → sidecar ═ HTTP/2 over mTLS ═ sidecar → server, with authorization by SPIFFE id, metrics, access logs of
// one request in a hundred and request ids. Both sidecars are the same proxy and share a core; what both use counts.
import { type BackendKind, grpcBackend, http1Backend } from './backend.ts';
import { fortio } from './fortio.ts';
import { type H2Shape, h2loadFor } from './h2load.ts';
import { added } from './latency.ts';
import type { Peer } from './peer.ts';
import { type Front, frontPort } from './place.ts';
import { ProcessTree, mebibytes } from './processes.ts';
import { proveBackend, proveCount, proveStrictness, requestsCounted } from './proof.ts';
import { grpcRequest } from './streams.ts';
import { type Bench, type Running, type Sample, type Suite, withPeer } from './suite.ts';
import { wrk } from './wrk.ts';

const bodyBytes = 128;
const connections = 32;
const latencyConnections = 16;
const calls: H2Shape = { connections: 8, streams: 10 };
const warmUpSeconds = 2;
/** Some seconds of them, as for requests: what is compiled meanwhile is no cost of a call. */
const warmUpCalls = 40_000;
/** Latency is that of a proxy that has been at work for a while: for some seconds under load, a runtime compiles what is hot. */
const latencyWarmUpSeconds = 8;
const latencySeconds = 3;
const fixedRate = 1000;
/** The share of the slower peer's peak at which latency is measured, too. */
const shareOfPeak = 0.6;

export const chainSuite: Suite = {
  name: 'chain',
  title: `two sidecars with mTLS between them; HTTP/1.1 over ${connections} connections, gRPC over 8 connections of 10 streams`,
  front: 'chain',
  backend: http1Backend(bodyBytes),
  needs: ['wrk', 'h2load', 'fortio', 'openssl'],
  rounds: 5,
  seconds: 5,
  columns: [
    { key: 'cpuUs', title: 'CPU µs/req', digits: 1 },
    { key: 'grpcCpuUs', title: 'CPU µs/call', digits: 1 },
    { key: 'requestsPerSecond', title: 'req/s', digits: 0 },
    { key: 'callsPerSecond', title: 'calls/s', digits: 0 },
    { key: 'addedP50Us', title: `added p50 µs at ${fixedRate}/s`, digits: 0 },
    { key: 'addedP99Us', title: 'p99', digits: 0 },
    { key: 'busyAddedP50Us', title: 'added p50 µs at 60 %', digits: 0 },
    { key: 'busyAddedP99Us', title: 'p99', digits: 0 },
    { key: 'privateMiB', title: 'private MiB', digits: 1 },
    { key: 'errors', title: 'errors', digits: 0 },
  ],
  run: async (bench) => {
    const rate = await chooseRate(bench);
    const samples: Sample[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      for (const peer of bench.peers) {
        const values = await measure(bench, peer, rate);
        samples.push({ peer: peer.name, values });
        bench.say(
          `round ${round}  ${peer.name.padEnd(8)} ${values['cpuUs']!.toFixed(1)} µs/request, ` +
            `${values['grpcCpuUs']!.toFixed(1)} µs/call, added p99 ${values['addedP99Us']!.toFixed(0)} µs, ` +
            `${values['busyAddedP99Us']!.toFixed(0)} µs at ${rate}/s`,
        );
      }
    }
    return samples;
  },
};

function withChain<T>(
  bench: Bench,
  peer: Peer,
  front: Front,
  backend: BackendKind,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  return withPeer(bench, peer, { front, backend }, use);
}

async function chooseRate(bench: Bench): Promise<number> {
  let slowest = Number.POSITIVE_INFINITY;
  for (const peer of bench.peers) {
    const peak = await withPeer(bench, peer, chainSuite, async ({ place }) => {
      const url = urlOf(frontPort(place));
      await wrk(url, connections, warmUpSeconds);
      const result = await wrk(url, connections, warmUpSeconds);
      return (result.answered * 1_000_000) / result.durationUs;
    });
    bench.say(`peak  ${peer.name.padEnd(8)} ${peak.toFixed(0)} requests/s`);
    slowest = Math.min(slowest, peak);
  }
  const rate = Math.floor(slowest * shareOfPeak);
  bench.say(`rate  ${rate} requests/s`);
  return rate;
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/`;
}

async function measure(bench: Bench, peer: Peer, rate: number): Promise<Record<string, number>> {
  const plain = await withPeer(bench, peer, chainSuite, (running) => loadHttp1(bench, peer, running));
  const grpc = await withChain(bench, peer, 'chain-grpc', grpcBackend(bodyBytes, 1), (running) =>
    loadGrpc(bench, peer, running),
  );
  const quiet = await latencyAt(bench, peer, fixedRate);
  const busy = await latencyAt(bench, peer, rate);
  return {
    ...plain,
    ...grpc,
    addedP50Us: quiet['addedP50Us']!,
    addedP99Us: quiet['addedP99Us']!,
    busyAddedP50Us: busy['addedP50Us']!,
    busyAddedP99Us: busy['addedP99Us']!,
    errors: plain['errors'] + grpc['errors'] + quiet['errors']! + busy['errors']!,
  };
}

async function loadHttp1(
  bench: Bench,
  peer: Peer,
  { place, proxies, backend }: Running,
): Promise<Record<'cpuUs' | 'requestsPerSecond' | 'privateMiB' | 'errors', number>> {
  const url = urlOf(frontPort(place));
  const warmUp = await wrk(url, connections, warmUpSeconds);
  const tree = ProcessTree.of(proxies);
  const before = tree.cpuMs;
  const result = await wrk(url, connections, bench.seconds);
  const cpuMs = tree.cpuMs - before;
  const sent = warmUp.sent + result.sent;
  const answered = warmUp.answered + result.answered;
  await proveCount(peer, place, { requests: sent, bytes: 0 });
  proveBackend(peer, await requestsCounted(place.innerAdminPort, 'inbound'), answered, sent);
  await proveStrictness(peer, place);
  proveBackend(peer, await backend.count(), answered, sent);
  return {
    cpuUs: (cpuMs * 1000) / result.answered,
    requestsPerSecond: (result.answered * 1_000_000) / result.durationUs,
    privateMiB: mebibytes(tree.memory.private),
    errors: result.errors,
  };
}

async function loadGrpc(
  bench: Bench,
  peer: Peer,
  { place, proxies, backend }: Running,
): Promise<Record<'grpcCpuUs' | 'callsPerSecond' | 'errors', number>> {
  const request = grpcRequest(bench.directory, 1, bodyBytes);
  const tree = ProcessTree.of(proxies);
  let before = 0;
  const begin = (): void => void (before = tree.cpuMs);
  const result = await h2loadFor(frontPort(place), request, calls, warmUpCalls, bench.seconds, begin);
  const cpuMs = tree.cpuMs - before;
  await proveCount(peer, place, { requests: result.sent, bytes: 0 });
  proveBackend(peer, await backend.count(), result.sent - result.errors, result.sent);
  return {
    grpcCpuUs: (cpuMs * 1000) / result.answered,
    callsPerSecond: (result.answered * 1_000_000) / result.durationUs,
    errors: result.errors,
  };
}

/** What the chain adds to a direct connection, measured right before it, at so many requests a second. */
function latencyAt(bench: Bench, peer: Peer, rate: number): Promise<Record<string, number>> {
  return withPeer(bench, peer, chainSuite, async ({ place, backend }) => {
    await wrk(urlOf(frontPort(place)), connections, latencyWarmUpSeconds);
    const direct = await fortio(urlOf(place.backendPort), latencyConnections, rate, latencySeconds);
    const before = await backend.count();
    const through = await fortio(urlOf(frontPort(place)), latencyConnections, rate, latencySeconds);
    if ((await backend.count()) === before) throw new Error(`${peer.name} let nothing through`);
    return { ...added(through, direct), errors: through.errors + direct.errors };
  });
}
