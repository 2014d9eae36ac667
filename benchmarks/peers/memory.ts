// Memory idle after a second start, with 5,000 keep-alive connections that made one request each, and after a burst.
import { type Socket, connect } from 'node:net';
import { http1Backend } from './backend.ts';
import type { Peer } from './peer.ts';
import { type Place, frontPort } from './place.ts';
import { ProcessTree, mebibytes, pause } from './processes.ts';
import { proveCount, proveStrictness } from './proof.ts';
import { type Bench, type Sample, type Suite, withPeer } from './suite.ts';
import { wrk } from './wrk.ts';

const idleConnections = 5000;
/** This many connect at a time. */
const batch = 100;
const settleMs = 2000;
const burstConnections = 256;
const burstSeconds = 3;
/** How long a proxy may take to give back what a burst took, and how close it has to come. */
const recoveryMs = 60_000;
const recoveredRatio = 1.5;

const bodyBytes = 128;

export const memorySuite: Suite = {
  name: 'memory',
  title: `idle, ${idleConnections} idle keep-alive connections, and after a burst over ${burstConnections} connections`,
  front: 'http',
  backend: http1Backend(bodyBytes),
  needs: ['wrk'],
  rounds: 3,
  seconds: 0,
  columns: [
    { key: 'idleMiB', title: 'idle private MiB', digits: 1 },
    { key: 'idleResidentMiB', title: 'idle RSS', digits: 1 },
    { key: 'connectedMiB', title: `${idleConnections} idle conns`, digits: 1 },
    { key: 'connectedResidentMiB', title: 'RSS', digits: 1 },
    { key: 'closedMiB', title: 'closed', digits: 1 },
    { key: 'burstMiB', title: 'in burst', digits: 1 },
    { key: 'afterMiB', title: 'after', digits: 1 },
    { key: 'afterToBefore', title: 'after/before', digits: 2 },
    { key: 'recoverySeconds', title: 'seconds', digits: 0 },
  ],
  run: async (bench) => {
    const samples: Sample[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      for (const peer of bench.peers) {
        const values = await measure(bench, peer);
        samples.push({ peer: peer.name, values });
        const shown = ['idleMiB', 'connectedMiB', 'closedMiB', 'burstMiB', 'afterMiB'];
        const line = shown.map((key) => `${key} ${values[key]!.toFixed(1)}`).join(', ');
        bench.say(`round ${round}  ${peer.name.padEnd(8)} ${line}`);
      }
    }
    return samples;
  },
};

function measure(bench: Bench, peer: Peer): Promise<Record<string, number>> {
  return withPeer(bench, peer, memorySuite, async ({ place, proxies }) => {
    await openConnections(place, 1).then(closeConnections);
    await pause(settleMs);
    const tree = ProcessTree.of(proxies);
    const idle = tree.memory;

    const open = await openConnections(place, idleConnections);
    await pause(settleMs);
    const connected = tree.memory;
    await closeConnections(open);
    await pause(settleMs);
    const closed = tree.memory;

    const url = `http://127.0.0.1:${frontPort(place)}/`;
    const burst = await wrk(url, burstConnections, burstSeconds);
    const atPeak = tree.memory;
    const endedAt = performance.now();
    let after = atPeak;
    while (after.private > recoveredRatio * idle.private && performance.now() - endedAt < recoveryMs) {
      await pause(1000);
      after = tree.memory;
    }
    const recoverySeconds = (performance.now() - endedAt) / 1000;
    const requests = 1 + idleConnections + burst.sent;
    await proveCount(peer, place, { requests, bytes: 0 });
    await proveStrictness(peer, place);
    return {
      idleMiB: mebibytes(idle.private),
      idleResidentMiB: mebibytes(idle.resident),
      connectedMiB: mebibytes(connected.private),
      connectedResidentMiB: mebibytes(connected.resident),
      closedMiB: mebibytes(closed.private),
      burstMiB: mebibytes(atPeak.private),
      afterMiB: mebibytes(after.private),
      afterToBefore: after.private / idle.private,
      recoverySeconds,
    };
  });
}

/** Opens connections, each of which makes one request and reads its answer. */
async function openConnections(place: Place, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Math.min(batch, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => openConnection(place)))));
  }
  return sockets;
}

function openConnection(place: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(frontPort(place), '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: memory\r\n\r\n'),
    );
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0 || received.length < headEnd + 4 + bodyBytes) return;
      received = '';
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

async function closeConnections(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          socket.once('close', resolve);
          socket.end();
        }),
    ),
  );
}
