// Runs tests in groups: `node tools/test.ts [group …]`, all that `npm test` stands for without an argument.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './commands.ts';

interface Group {
  /** What it holds, for people. */
  readonly title: string;
  readonly files: readonly string[];
  /** Each file in a process of its own, two at a time: for tests that start processes themselves. */
  readonly isolated: boolean;
  /** For one test, in milliseconds. */
  readonly timeoutMs: number;
  /** For the group. */
  readonly limitMs: number;
}

function unit(title: string, packages: string): Group {
  const files = [`packages/${packages}/src/**/*.test.{ts,tsx}`];
  return { title, files, isolated: false, timeoutMs: 30_000, limitMs: 240_000 };
}

function across(title: string, directory: string, minutes: number, isolated = true): Group {
  const files = [`tests/${directory}/**/*.test.ts`];
  return { title, files, isolated, timeoutMs: 120_000, limitMs: minutes * 60_000 };
}

const groups: Readonly<Record<string, Group>> = {
  libraries: unit('unit tests of the libraries', '{base,telemetry,model,xds,identity,ca}'),
  proxy: unit('unit tests of the data plane and the testkit', '{proxy,testkit}'),
  'control-plane': unit('unit tests of the control plane', 'control-plane'),
  'command-line': unit('unit tests of the command line', 'cli'),
  dashboard: unit('unit tests of the dashboard', 'dashboard'),
  tools: {
    title: 'unit tests of tools, benchmarks and the fuzzer',
    files: ['{tools,benchmarks,fuzz}/**/*.test.ts'],
    isolated: false,
    timeoutMs: 30_000,
    limitMs: 240_000,
  },
  repository: across('checks of the repository itself', 'repository', 2, false),
  wire: across('bytes on the wire against the rules', 'wire', 2, false),
  simulation: across('whole meshes in memory on virtual time', 'simulation', 3, false),
  load: across('large bodies, many connections and slow peers against a proxy', 'load', 5),
  e2e: across('whole meshes in processes', 'e2e', 5),
  browser: across('the dashboard in a browser', 'browser', 3),
  interop: across('against foreign implementations', '{interop,differential}', 20),
  documentation: across('what the pages tell people to type', 'documentation', 5),
  conformance: across('third-party conformance data', 'conformance', 20),
  soak: across('long runs', 'soak', 24 * 60),
};

/** What `npm test` runs; the others have scripts of their own. */
const everyday = [
  'libraries',
  'proxy',
  'control-plane',
  'command-line',
  'dashboard',
  'tools',
  'repository',
  'wire',
  'simulation',
  'load',
  'e2e',
];

interface Outcome {
  readonly name: string;
  readonly exitCode: number;
  readonly seconds: number;
  readonly counts: Readonly<Record<'tests' | 'pass' | 'fail' | 'skipped', number>>;
}

/** The number in a closing line of the runner, such as `ℹ pass 5`. */
function closingNumber(output: string, word: string): number {
  return Number([...output.matchAll(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
}

/** Most of what a short test costs is compiling what it imports: once is enough for all processes that a run starts. */
const compiledCode = {
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules/.cache/heddle'),
  NODE_COMPILE_CACHE_PORTABLE: '1',
};

/** Runs one group; `print` is given what it says, as it comes. */
async function runGroup(name: string, group: Group, print: (text: string) => void): Promise<Outcome | null> {
  const files = globSync([...group.files], { cwd: root }).toSorted();
  if (files.length === 0) {
    print(`\n${name}: nothing there yet (${group.files.join(', ')})\n`);
    return null;
  }
  print(`\n${name}: ${group.title}, ${files.length} files\n`);
  const parameters = [
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${group.timeoutMs}`,
    ...(group.isolated ? ['--test-concurrency=2'] : ['--test-isolation=none']),
    ...files,
  ];
  let output = '';
  const started = performance.now();
  const exitCode = await run(process.execPath, parameters, {
    limitMs: group.limitMs,
    environment: compiledCode,
    onOutput: (text) => {
      output += text;
      print(text);
    },
  });
  // eslint-disable-next-line no-control-regex -- colours are escape sequences.
  const plain = output.replaceAll(/\u001B\[\d+m/g, '');
  const counts = {
    tests: closingNumber(plain, 'tests'),
    pass: closingNumber(plain, 'pass'),
    fail: closingNumber(plain, 'fail'),
    skipped: closingNumber(plain, 'skipped'),
  };
  return { name, exitCode, seconds: (performance.now() - started) / 1000, counts };
}

function report(outcomes: readonly Outcome[]): void {
  console.log('');
  for (const { name, exitCode, seconds, counts } of outcomes) {
    const verdict = exitCode === 0 ? 'passed' : 'FAILED';
    console.log(
      `${name.padEnd(14)} ${verdict}  ${counts.tests} tests, ${counts.pass} passed, ${counts.fail} failed, ` +
        `${counts.skipped} skipped, ${seconds.toFixed(1)} s`,
    );
  }
  const sum = (pick: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, one) => total + pick(one), 0);
  console.log(
    `all: ${sum((one) => one.counts.tests)} tests, ${sum((one) => one.counts.pass)} passed, ` +
      `${sum((one) => one.counts.fail)} failed, ${sum((one) => one.counts.skipped)} skipped, ` +
      `${(performance.now() / 1000).toFixed(1)} s`,
  );
}

/** The longest of those of one process each: begun first, nothing waits for them at the end. */
const longest = ['command-line', 'proxy', 'simulation'];

/**
 * Groups of one process each run three at a time, since the command line's wait for processes half of their time; each says
 * what it has to say when it is through. Those that start processes of their own come after them, one by one.
 */
async function runGroups(names: readonly string[]): Promise<Outcome[]> {
  const outcomes = new Map<string, Outcome | null>();
  const single = names.filter((name) => !groups[name]!.isolated);
  const waiting = [
    ...longest.filter((name) => single.includes(name)),
    ...single.filter((name) => !longest.includes(name)),
  ];
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      let held = '';
      const outcome = await runGroup(name, groups[name]!, (text) => (held += text));
      process.stdout.write(held);
      outcomes.set(name, outcome);
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  for (const name of names) {
    const group = groups[name]!;
    if (group.isolated) outcomes.set(name, await runGroup(name, group, (text) => process.stdout.write(text)));
  }
  return names.map((name) => outcomes.get(name) ?? null).filter((outcome) => outcome !== null);
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => groups[name] === undefined);
  if (unknown.length > 0) {
    console.error(`no such group: ${unknown.join(', ')}; there are ${Object.keys(groups).join(', ')}`);
    return 2;
  }
  const outcomes = await runGroups(names);
  if (outcomes.length === 0) return 0;
  report(outcomes);
  const failed = outcomes.filter((outcome) => outcome.exitCode !== 0 || outcome.counts.tests === 0);
  const skipping = outcomes.filter((outcome) => outcome.counts.skipped > 0);
  if (process.env['HEDDLE_REQUIRE_ALL'] === '1' && skipping.length > 0) {
    console.error(`HEDDLE_REQUIRE_ALL=1 and yet skipped: ${skipping.map((one) => one.name).join(', ')}`);
    return 1;
  }
  return failed.length > 0 ? 1 : 0;
}

const wanted = process.argv.slice(2);
process.exitCode = await main(wanted.length === 0 ? everyday : wanted);
