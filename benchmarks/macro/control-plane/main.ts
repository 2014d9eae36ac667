// `npm run bench:control-plane -- [--proxies 250,500,1000,2000] [--services 1000] [--endpoints 10] [--changes 5] [--per-proxy] [--churn SECONDS] [--json FILE] [--check]`
//
// What it costs the control plane to serve many sidecars: see docs/benchmarks.md.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine, loadAverage } from '../../peers/machine.ts';
import { stayOffProxyCore } from '../../peers/processes.ts';
import { describeGrowth } from './growth.ts';
import { measure, type Figures } from './measure.ts';
import { describeVerdict, judge } from './targets.ts';

const { values } = parseArgs({
  options: {
    proxies: { type: 'string', default: '250,500,1000,2000' },
    services: { type: 'string', default: '1000' },
    endpoints: { type: 'string', default: '10' },
    namespaces: { type: 'string', default: '20' },
    changes: { type: 'string', default: '5' },
    'per-proxy': { type: 'boolean', default: false },
    churn: { type: 'string', default: '0' },
    'churn-rate': { type: 'string', default: '1000' },
    json: { type: 'string', default: '' },
    check: { type: 'boolean', default: false },
  },
});

function numbers(text: string): number[] {
  return text.split(',').map(Number);
}

const columns: readonly [string, (one: Figures) => number, number][] = [
  ['services', (one) => one.services, 0],
  ['proxies', (one) => one.proxies, 0],
  ['served', (one) => one.served, 0],
  ['all after s', (one) => one.firstStateMs / 1000, 2],
  ['CPU s', (one) => one.firstStateCpuMs / 1000, 2],
  ['load CPU s', (one) => one.loaderCpuMs / 1000, 2],
  ['MB/proxy', (one) => one.bytesPerProxy / 1e6, 2],
  ['peak RSS MiB', (one) => one.peakRssBytes / 2 ** 20, 0],
  ['served wait ms', (one) => one.waitWhileConnectingMs, 0],
];

stayOffProxyCore();
console.log(`${values.endpoints} endpoints a service, load average ${loadAverage()}`);
const results: Figures[] = [];
for (const services of numbers(values.services)) {
  for (const proxies of numbers(values.proxies)) {
    const figures = await measure({
      proxies,
      services,
      endpoints: Number(values.endpoints),
      namespaces: Number(values.namespaces),
      isPerProxy: values['per-proxy'],
      changes: Number(values.changes),
      churnSeconds: Number(values.churn),
      churnRate: Number(values['churn-rate']),
    });
    results.push(figures);
    print(figures);
  }
}

function print(figures: Figures): void {
  console.log(columns.map(([title, pick, digits]) => `${title} ${pick(figures).toFixed(digits)}`).join('  '));
  for (const { kind, p50Ms, p99Ms, lastMs, cpuMs, bytesPerProxy, missing } of figures.changes) {
    const times = `p50 ${p50Ms.toFixed(0)}  p99 ${p99Ms.toFixed(0)}  last ${lastMs.toFixed(0)} ms`;
    const cost = `CPU ${cpuMs.toFixed(0)} ms a push  ${bytesPerProxy.toFixed(0)} bytes a proxy`;
    console.log(`  ${kind.padEnd(12)}${times}  ${cost}${missing > 0 ? `  ${missing} never` : ''}`);
  }
  if (figures.churn === null) return;
  const { changes, behindP99Ms, behindMostMs, cpuMs, rssBytes } = figures.churn;
  const memory = rssBytes.map((one) => (one / 2 ** 20).toFixed(0)).join(' ');
  console.log(
    `  churn       ${changes} changes, behind p99 ${behindP99Ms.toFixed(0)}  most ${behindMostMs.toFixed(0)} ms  CPU ${(cpuMs / 1000).toFixed(1)} s  RSS MiB ${memory}`,
  );
}

for (const line of describeGrowth(results)) console.log(line);
const verdicts = results.flatMap((figures) => judge(figures));
for (const verdict of verdicts) console.log(describeVerdict(verdict));
if (values.json !== '') {
  const report = { machine: describeMachine(), loadAverage: loadAverage(), results, verdicts };
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
if (values.check && verdicts.some(({ outcome }) => outcome !== 'met')) process.exitCode = 1;
