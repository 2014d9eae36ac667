// Everything about the sources that can be judged without running them: `npm run check`.
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync, globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@heddle/testkit';
import { root, run, tool } from './commands.ts';

interface Step {
  readonly name: string;
  /** Exit code; null where the step could not run, with the reason printed. */
  run(): Promise<number | null>;
}

/** Whether two directories hold the same files with the same bytes. */
async function sameFiles(a: string, b: string): Promise<boolean> {
  const list = (directory: string): string[] =>
    globSync('**/*', { cwd: directory, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length))
      .toSorted();
  const names = list(a);
  if (names.join('\n') !== list(b).join('\n')) return false;
  for (const name of names) {
    const [left, right] = await Promise.all([readFile(join(a, name)), readFile(join(b, name))]);
    if (!left.equals(right)) return false;
  }
  return true;
}

/** Generates the code of the protocol buffers again and compares; what was there is put back. */
async function checkProtocolBuffers(): Promise<number | null> {
  const generator = join(root, 'tools/protogen');
  if (findProgram('protoc') === null) return skip('protoc is not installed (Debian: protobuf-compiler)');
  if (!existsSync(join(generator, 'node_modules/ts-proto')) && process.env['HEDDLE_REQUIRE_ALL'] !== '1') {
    return skip('tools/protogen has no node_modules (npm ci --prefix tools/protogen)');
  }
  const generated = join(root, 'packages/xds/src/generated');
  const copy = await mkdtemp(join(tmpdir(), 'heddle-generated-'));
  try {
    await cp(generated, copy, { recursive: true });
    const exitCode = await run('sh', [join(generator, 'generate.sh')]);
    if (exitCode === 0 && (await sameFiles(generated, copy))) return 0;
    await rm(generated, { recursive: true, force: true });
    await cp(copy, generated, { recursive: true });
    console.error(
      'packages/xds/src/generated is not what its .proto files give: run tools/protogen/generate.sh',
    );
    return 1;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

function skip(reason: string): null {
  console.log(`left out: ${reason}`);
  return null;
}

function command(name: string, program: string, ...parameters: string[]): Step {
  return { name, run: () => run(program, parameters) };
}

const steps: readonly Step[] = [
  command('types', tool('tsc'), '-p', 'tsconfig.json'),
  command('types of the dashboard', tool('tsc'), '-p', 'packages/dashboard/tsconfig.json'),
  command("types of the dashboard's tools", tool('tsc'), '-p', 'packages/dashboard/tsconfig.node.json'),
  command('lint', tool('oxlint'), '--type-aware', '--deny-warnings'),
  command('format', tool('oxfmt'), '--check', '.'),
  {
    name: 'generated API types',
    run: () => run(process.execPath, ['packages/dashboard/tools/generate-api-types.ts', '--check']),
  },
  { name: 'generated protocol buffers', run: checkProtocolBuffers },
  command('arrows, sizes, dependencies, errors', process.execPath, 'tools/test.ts', 'repository'),
];

const results: string[] = [];
let failures = 0;
for (const step of steps) {
  console.log(`\n${step.name}`);
  const started = performance.now();
  const exitCode = await step.run();
  const verdict = exitCode === null ? 'left out' : exitCode === 0 ? 'passed' : 'FAILED';
  if (exitCode !== 0 && exitCode !== null) failures++;
  if (exitCode === null && process.env['HEDDLE_REQUIRE_ALL'] === '1') failures++;
  results.push(`${step.name.padEnd(38)} ${verdict}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
console.log(`\n${results.join('\n')}`);
console.log(failures === 0 ? 'check: all passed' : `check: ${failures} of ${steps.length} failed`);
process.exitCode = failures === 0 ? 0 : 1;
