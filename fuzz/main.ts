// `npm run fuzz -- [--minutes 5 | --seconds 10] [--target NAME] [--seed N] [--replay FILE]`
//
// `--minutes` is for all targets together, `--seconds` for each.
//
// Mutates inputs of every parser, guided by which code they reach. A finding is made small, written to fuzz/findings/
// and replayed with --replay; once fixed it becomes a test case of the parser.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { errorMessage } from '@heddle/base';
import { type Finding, fuzz, runInput } from './fuzzer.ts';
import { grpcMessages } from './targets/grpc-messages.ts';
import { dnsMessages } from './targets/dns-messages.ts';
import { httpFirstLine, proxyHeaders, tlsHello } from './targets/first-bytes.ts';
import { hpack } from './targets/hpack.ts';
import { chunks } from './targets/http1-chunks.ts';
import { requestHead, responseHead } from './targets/http1-head.ts';
import { proxiedRequests, proxiedResponses } from './targets/http1-proxy.ts';
import { http2Requests, http2Responses } from './targets/http2-frames.ts';
import { identities } from './targets/identities.ts';
import { manifests } from './targets/manifests.ts';
import { xdsResources } from './targets/xds-resources.ts';

const targets = [
  dnsMessages,
  proxiedRequests,
  proxiedResponses,
  requestHead,
  responseHead,
  httpFirstLine,
  proxyHeaders,
  tlsHello,
  chunks,
  hpack,
  http2Requests,
  http2Responses,
  grpcMessages,
  xdsResources,
  manifests,
  identities,
];

function report(name: string, finding: Finding): void {
  const directory = fileURLToPath(new URL('findings/', import.meta.url));
  mkdirSync(directory, { recursive: true });
  const file = `${directory}${name}-${createHash('sha256').update(finding.input).digest('hex').slice(0, 12)}`;
  writeFileSync(file, finding.input);
  console.error(`${name}: ${errorMessage(finding.error)}`);
  if (finding.error instanceof Error) console.error(finding.error.stack);
  console.error(`input: ${JSON.stringify(Buffer.from(finding.input).toString('latin1'))}`);
  console.error(`again: npm run fuzz -- --target ${name} --replay ${file}`);
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '' },
    seconds: { type: 'string', default: '10' },
    target: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Math.floor(performance.timeOrigin) % 1_000_000) },
    replay: { type: 'string', default: '' },
  },
});
const chosen = targets.filter((target) => values.target === '' || target.name === values.target);
if (chosen.length === 0) {
  console.error(`no target ${values.target}; there are ${targets.map((target) => target.name).join(', ')}`);
  process.exitCode = 2;
}
const seconds =
  values.minutes === '' ? Number(values.seconds) : (Number(values.minutes) * 60) / Math.max(1, chosen.length);
if (values.replay === '') console.log(`seed ${values.seed}, ${seconds.toFixed(1)} s for each target`);
for (const target of chosen) {
  if (values.replay !== '') {
    const finding = runInput(target, readFileSync(values.replay));
    if (finding === null) console.log(`${target.name}: nothing is wrong with ${values.replay}`);
    else {
      report(target.name, finding);
      process.exitCode = 1;
    }
    continue;
  }
  const result = fuzz(target, seconds * 1000, Number(values.seed));
  console.log(
    `${target.name.padEnd(20)} ${result.executions} executions, ${result.corpus} inputs kept, ` +
      `${result.blocks} blocks reached`,
  );
  if (result.finding !== null) {
    report(target.name, result.finding);
    process.exitCode = 1;
  }
}
