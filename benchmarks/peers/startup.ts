// How long it takes from the start of the process to the first answered request, caches on disk filled by an earlier start.
import { connect } from 'node:net';
import { Backend, http1Backend } from './backend.ts';
import type { Peer } from './peer.ts';
import { choosePlace, frontPort } from './place.ts';
import { proxyCore, startPinned } from './processes.ts';
import type { Bench, Sample, Suite } from './suite.ts';

const timeoutMs = 20_000;

export const startupSuite: Suite = {
  name: 'startup',
  title: 'from exec to the first answered request, second start',
  front: 'http',
  backend: http1Backend(128),
  needs: [],
  rounds: 15,
  seconds: 0,
  columns: [{ key: 'startMs', title: 'start ms', digits: 1 }],
  run: async (bench) => {
    const samples: Sample[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      for (const peer of bench.peers) {
        samples.push({ peer: peer.name, values: { startMs: await measure(bench, peer) } });
      }
      const line = samples.slice(-bench.peers.length).map((one) => {
        return `${one.peer} ${one.values['startMs']!.toFixed(0)} ms`;
      });
      bench.say(`round ${round}  ${line.join(', ')}`);
    }
    return samples;
  },
};

async function measure(bench: Bench, peer: Peer): Promise<number> {
  const place = await choosePlace(bench.directory, 'http');
  const [command] = peer.prepare(place);
  await using _backend = await Backend.start(bench.directory, place.backendPort, startupSuite.backend);
  const startedAt = performance.now();
  await using proxy = await startPinned(proxyCore, command!);
  while (!(await isAnswered(frontPort(place)))) {
    if (proxy.exit !== null) throw new Error(`${peer.name} ended:\n${proxy.output}`);
    if (performance.now() - startedAt > timeoutMs)
      throw new Error(`${peer.name} answers nothing within ${timeoutMs} ms:\n${proxy.output}`);
  }
  return performance.now() - startedAt;
}

/** One try, repeated after a millisecond by waiting for it. */
function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: start\r\n\r\n'));
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1').startsWith('HTTP/1.1 200 '));
      socket.destroy();
    });
    const later = (): void => void setTimeout(() => resolve(false), 1);
    socket.once('error', later);
    socket.once('end', later);
  });
}
