// Runs what docs/admin.md shows, in its order, and compares what comes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, startChild, temporaryDirectory } from '@heddle/testkit';
import { launcher, repositoryRoot } from '../e2e/support/sandbox.ts';

const run = promisify(execFile);

interface Step {
  readonly command: string;
  readonly output: string;
}

function readConsole(markdown: string): Step[] {
  const steps: Step[] = [];
  for (const [, block] of markdown.matchAll(/```console\n([^]*?)```/g)) {
    for (const part of block!.split(/^\$ /m).slice(1)) {
      const lineEnd = part.indexOf('\n');
      steps.push({ command: part.slice(0, lineEnd), output: part.slice(lineEnd + 1) });
    }
  }
  return steps;
}

test('the file and the commands of docs/admin.md do what the page says', async () => {
  await using directory = await temporaryDirectory();
  const [admin, web] = [await freePort(), await freePort()];
  const atOurPorts = (text: string): string =>
    text.replaceAll('9901', String(admin)).replaceAll('8080', String(web));
  const page = atOurPorts(await readFile(join(repositoryRoot, 'docs/admin.md'), 'utf8'));
  const [, yaml] = /```yaml\n([^]*?)```/.exec(page)!;
  const file = join(directory.path, 'envoy.yaml');
  await writeFile(file, yaml!);
  await using proxy = await startChild(launcher, { arguments: ['proxy', '--bootstrap', file] });
  await proxy.line(/^heddle: admin on /);
  const steps = readConsole(page);
  assert.ok(steps.length > 10);
  for (const { command, output } of steps) {
    const { stdout } = await run('sh', ['-c', command]);
    assert.equal(stdout, output, command);
  }
  assert.deepEqual(await proxy.ended(), { code: 0, signal: null }, 'the last one is /quitquitquit');
});
