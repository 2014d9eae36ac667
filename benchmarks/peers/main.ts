// `npm run bench:peers -- --suite http1 [--rounds 3] [--seconds 5] [--only nginx,heddle] [--json FILE] [--check]`
//
// Heddle beside the proxies people know, in the same run on the same machine: rounds are interleaved, medians compared.
// Quote ratios; the numbers change from machine to machine. docs/benchmarks.md says how to read them.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '@heddle/base';
import { findProgram, temporaryDirectory } from '@heddle/testkit';
import { run } from '../../tools/commands.ts';
import { buildBackends } from './backend.ts';
import { chainSuite } from './chain.ts';
import { measureDemoSidecar } from './demo-sidecar.ts';
import { renderTable, summarize } from './figures.ts';
import { fortioMissing } from './fortio.ts';
import { latencySuite } from './latency.ts';
import { loadSuite } from './load.ts';
import { describeMachine, loadAverage } from './machine.ts';
import { memorySuite } from './memory.ts';
import { type Peer, peers } from './peer.ts';
import { writeCertificate, writeChainCertificates } from './place.ts';
import { mebibytes, stayOffProxyCore } from './processes.ts';
import { startupSuite } from './startup.ts';
import { grpcStreamSuite, grpcSuite, http2Suite } from './streams.ts';
import { type Suite, tryPeer } from './suite.ts';
import { describeVerdict, judge } from './targets.ts';

const bulkBytes = 1_048_576;
const suites: readonly Suite[] = [
  loadSuite('http1', 'http', 128),
  loadSuite('http1-bulk', 'http', bulkBytes),
  loadSuite('tls', 'https', 128),
  loadSuite('tcp', 'tcp', 128),
  loadSuite('tcp-bulk', 'tcp', bulkBytes),
  http2Suite,
  grpcSuite,
  grpcStreamSuite,
  chainSuite,
  latencySuite,
  memorySuite,
  startupSuite,
];

/** What suites can't do without, and where to get it. */
const tools: Readonly<Record<string, string>> = {
  taskset: 'taskset is not installed (Debian: util-linux)',
  gcc: 'gcc is not installed (Debian: gcc); the backends are written in C',
  wrk: 'wrk is not installed (Debian: wrk)',
  h2load: 'h2load is not installed (Debian: nghttp2-client)',
  openssl: 'openssl is not installed (Debian: openssl)',
  fortio: fortioMissing,
};

function missingTools(suite: Suite): string[] {
  return ['taskset', 'gcc', ...suite.needs]
    .filter((name) => findProgram(name) === null)
    .map((name) => tools[name]!);
}

const usage =
  'npm run bench:peers -- --suite NAME [--rounds N] [--seconds N] [--only PEER,...] [--json FILE] [--check] [--no-build]';

function readOptions() {
  return parseArgs({
    options: {
      suite: { type: 'string', default: 'http1' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      check: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

async function main(): Promise<number> {
  let values: ReturnType<typeof readOptions>;
  try {
    values = readOptions();
  } catch (error) {
    console.error(`${errorMessage(error)}\n${usage}`);
    return 2;
  }
  if (values.help) {
    console.log(`${usage}\nsuites: ${suites.map((one) => one.name).join(', ')}`);
    return 0;
  }
  const suite = suites.find((one) => one.name === values.suite);
  if (suite === undefined) {
    console.error(`no suite ${values.suite}; there are ${suites.map((one) => one.name).join(', ')}`);
    return 2;
  }
  const missing = missingTools(suite);
  for (const sentence of missing) console.error(sentence);
  if (missing.length > 0) return 1;
  if (!values['no-build'] && (await run(process.execPath, ['tools/build.ts'])) !== 0) return 1;

  const rounds = Number(values.rounds ?? suite.rounds);
  const seconds = Number(values.seconds ?? suite.seconds);
  const only = values.only?.split(',') ?? null;
  stayOffProxyCore();
  await using directory = await temporaryDirectory('heddle-bench');
  await buildBackends(directory.path);
  if (suite.front === 'https') await writeCertificate(directory.path);
  if (suite.front === 'chain') await writeChainCertificates(directory.path);
  const present = await choosePeers(
    directory.path,
    suite,
    peers.filter((peer) => only === null || only.includes(peer.name)),
  );
  console.log(
    `suite ${suite.name}: ${suite.title}; ${rounds} rounds of ${seconds} s, proxy on core 0, ` +
      `load and backend on core 1, load average ${loadAverage()}`,
  );
  const say = (line: string): void => console.log(line);
  const samples = await suite.run({ directory: directory.path, peers: present, rounds, seconds, say });
  const figures = summarize(samples, suite.columns);
  const verdicts = judge(suite.name, figures);
  console.log(`\n${renderTable(figures, suite.columns)}\n`);
  for (const verdict of verdicts) console.log(describeVerdict(verdict));
  const sidecarMiB = suite === memorySuite ? await describeSidecar(directory.path) : null;

  if (values.json !== undefined) {
    await mkdir(dirname(values.json), { recursive: true });
    const result = {
      suite: suite.name,
      title: suite.title,
      rounds,
      seconds,
      machine: describeMachine(),
      figures: Object.fromEntries(figures),
      verdicts,
      samples,
      sidecarMiB,
    };
    await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  const hasErrors = samples.some((one) => (one.values['errors'] ?? 0) > 0);
  if (hasErrors) console.error('some requests failed: the numbers above compare different work');
  const isMissed = values.check && verdicts.some((one) => one.outcome !== 'met');
  return hasErrors || isMissed ? 1 : 0;
}

/** Starts each once; one that isn't there or refuses its configuration is left out, and that is said. */
async function choosePeers(directory: string, suite: Suite, candidates: readonly Peer[]): Promise<Peer[]> {
  const chosen: Peer[] = [];
  for (const peer of candidates) {
    const reason = await tryPeer({ directory }, peer, suite);
    if (reason === null) chosen.push(peer);
    else console.error(`LEFT OUT: ${peer.name}: ${reason}`);
  }
  return chosen;
}

/** The line about an idle sidecar of a mesh. */
async function describeSidecar(directory: string): Promise<number | null> {
  try {
    const memory = await measureDemoSidecar(directory);
    const [privateMiB, residentMiB] = [mebibytes(memory.private), mebibytes(memory.resident)];
    console.log(
      `\nidle sidecar of a mesh: ${privateMiB.toFixed(1)} MiB private, ${residentMiB.toFixed(1)} MiB resident`,
    );
    return privateMiB;
  } catch (error) {
    console.log(`\nidle sidecar of a mesh: not measured: ${errorMessage(error)}`);
    return null;
  }
}

process.exitCode = await main();
