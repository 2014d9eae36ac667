// `npm run bench:peers -- --suite http1 [--rounds 3] [--seconds 5] [--only nginx,heddle] [--json FILE]`
//
// Heddle beside the proxies people know, in the same run on the same machine: rounds are interleaved, medians compared.
// Quote ratios; the numbers change from machine to machine.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '@heddle/base';
import { findProgram, temporaryDirectory } from '@heddle/testkit';
import { run } from '../../tools/commands.ts';
import { measureDemoSidecar } from './demo-sidecar.ts';
import { describeMachine, loadAverage } from './machine.ts';
import { buildBackend, type Load, measure, measureIdle, type Measurement } from './measure.ts';
import { peers } from './peer.ts';
import { renderTable, summarize } from './report.ts';

/** Suites by name: what the load is. */
const suites: Readonly<Record<string, Omit<Load, 'seconds'>>> = {
  http1: { connections: 32, warmUpSeconds: 2, bodyBytes: 128 },
  'http1-bulk': { connections: 32, warmUpSeconds: 2, bodyBytes: 1_048_576 },
};

/** Suites whose part of the data plane is still to come. */
const later: ReadonlySet<string> = new Set(['tls', 'http2', 'tcp', 'chain']);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string', default: 'http1' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      only: { type: 'string', default: '' },
      json: { type: 'string', default: '' },
      'no-build': { type: 'boolean', default: false },
    },
  });
  const suite = suites[values.suite];
  if (suite === undefined) {
    const names = Object.keys(suites).join(', ');
    console.error(
      later.has(values.suite)
        ? `the suite ${values.suite} is not there yet; there are ${names}`
        : `no suite ${values.suite}; there are ${names}`,
    );
    return 2;
  }
  if (findProgram('wrk') === null) {
    console.error('wrk is not installed (Debian: wrk)');
    return 1;
  }
  if (!values['no-build'] && (await run(process.execPath, ['tools/build.ts'])) !== 0) return 1;
  const only = values.only === '' ? null : values.only.split(',');
  const candidates = peers.filter((peer) => only === null || only.includes(peer.name));
  for (const peer of candidates) if (peer.missing !== null) console.log(`left out: ${peer.missing}`);
  const present = candidates.filter((peer) => peer.missing === null);

  await using directory = await temporaryDirectory('heddle-bench');
  const backend = await buildBackend(directory.path);
  const load: Load = { ...suite, seconds: Number(values.seconds) };
  console.log(
    `suite ${values.suite}: ${load.connections} connections, ${load.bodyBytes} bytes, ${load.seconds} s, ` +
      `${values.rounds} rounds; proxy on core 0, wrk and ${backend === null ? 'an nginx' : 'a C'} backend on core 1; ` +
      `load average ${loadAverage()}`,
  );
  const idle = new Map<string, number>();
  for (const peer of present) {
    if (peer.warmsUpOnDisk === true) await measureIdle(peer, directory.path, backend);
    idle.set(peer.name, (await measureIdle(peer, directory.path, backend)).privateBytes);
  }
  const measurements: Measurement[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const peer of present) {
      const measured = await measure(peer, directory.path, backend, load);
      measurements.push(measured);
      console.log(
        `round ${round}  ${peer.name.padEnd(8)} ${measured.cpuUsPerRequest.toFixed(1)} µs/request, ` +
          `${measured.requestsPerSecond.toFixed(0)} requests/s`,
      );
    }
  }
  const summaries = summarize(measurements, idle);
  console.log(`\n${renderTable(summaries)}`);
  const sidecar = await describeSidecar(directory.path, only === null || only.includes('sidecar'));
  if (values.json !== '') {
    await mkdir(dirname(values.json), { recursive: true });
    const result = {
      suite: values.suite,
      load,
      machine: describeMachine(),
      summaries,
      measurements,
      sidecar,
    };
    await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  return summaries.some((one) => one.errors > 0) ? 1 : 0;
}

/** The line about an idle sidecar of a mesh. */
async function describeSidecar(
  directory: string,
  isWanted: boolean,
): Promise<{ privateBytes: number } | null> {
  if (!isWanted) return null;
  try {
    const memory = await measureDemoSidecar(directory);
    const [privateMiB, residentMiB] = [memory.private, memory.resident].map((bytes) =>
      (bytes / 1048576).toFixed(1),
    );
    console.log(`\nidle sidecar of a mesh: ${privateMiB} MiB private, ${residentMiB} MiB resident`);
    return { privateBytes: memory.private };
  } catch (error) {
    console.log(`\nidle sidecar of a mesh: not measured: ${errorMessage(error)}`);
    return null;
  }
}

process.exitCode = await main();
