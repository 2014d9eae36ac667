// README.md does what it says: its commands are taken out of it and run in their order, in a directory that looks like
// the checkout but holds nothing of anybody's mesh.
//
// How commands are marked in README.md:
//
// - Every fence of the language `sh` is run, as one script that ends at the first failure. It must end with exit code 0.
//   Other fences (yaml, text, …) are not commands; `bash`, `console` and the like are refused.
// - `<!-- run: prints "TEXT" "TEXT" -->` on the line before a fence: its output must hold each TEXT.
// - `<!-- run: background until "TEXT" -->` on the line before a fence: it goes on running, and the next step follows
//   once a line of its output holds TEXT.
// - `<!-- run: stop -->` on a line of its own: everything in the background gets Ctrl-C, the latest first, and must
//   leave no process and no port. The end of the document does the same.
//
// Two commands are not run, because they have been: `npm ci`, without which there would be no test, and `npm test`,
// which is what runs this one.
import assert from 'node:assert/strict';
import { readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type Child, eventually, findProgram, skipWithout } from '@heddle/testkit';
import { claimDefaultPorts } from '../e2e/support/default-ports.ts';
import { readSteps, type Step } from '../e2e/support/fenced-commands.ts';
import { listeningPortsOf, portsInUse, processesWithMark } from '../e2e/support/marked-processes.ts';
import { repositoryRoot, Sandbox } from '../e2e/support/sandbox.ts';

const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8');

/** Heddle's defaults; those that commands name are added. */
const defaultPorts = [15_080, 15_012, 15_011, 8080];

/** `trap` keeps the shell there until its program has ended on Ctrl-C. */
const prelude = `trap : INT
npm() { case "$*" in ci | test) echo "npm $*: done already" ;; *) command npm "$@" ;; esac; }
`;

/** The environment of somebody who types: without what npm gives to the programs it runs. */
function typedEnvironment(): Record<string, string | undefined> {
  const ours = Object.keys(process.env).filter((name) => /^(?:npm_|NODE|INIT_CWD$)/.test(name));
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return {
    ...Object.fromEntries(ours.map((name) => [name, undefined])),
    PATH: directories.filter((path) => !path.endsWith('node_modules/.bin')).join(delimiter),
    npm_config_update_notifier: 'false',
  };
}

/** The checkout as `git clone` and `npm ci` leave it. */
async function cloneByLinks(sandbox: Sandbox): Promise<void> {
  for (const name of ['README.md', 'examples', 'node_modules', 'package.json', 'packages', 'tools']) {
    await symlink(join(repositoryRoot, name), sandbox.path(name));
  }
}

class Tour {
  private readonly sandbox: Sandbox;
  private readonly background: Child[] = [];

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  async take(step: Step): Promise<void> {
    if (step.type === 'stop') {
      await this.stop();
      return;
    }
    const child = this.sandbox.start('sh', ['-euc', `${prelude}${step.script}`], {
      name: `README.md:${step.line}: ${step.script}`,
      environment: typedEnvironment(),
      group: true,
    });
    if (step.type === 'background') {
      this.background.push(child);
      await child.line(new RegExp(RegExp.escape(step.until)), 60_000);
      return;
    }
    const { code } = await child.ended(60_000);
    assert.equal(code, 0, `${child.name}\nprinted:\n${child.output}`);
    for (const text of step.prints) {
      assert.ok(child.output.includes(text), `${child.name}\nprinted no '${text}':\n${child.output}`);
    }
  }

  /** Presses Ctrl-C wherever something runs. */
  async stop(): Promise<void> {
    const ports = listeningPortsOf(processesWithMark(this.sandbox.mark));
    for (const child of this.background.splice(0).toReversed()) {
      assert.equal(child.exit, null, `${child.name}\nended by itself:\n${child.output}`);
      child.kill('SIGINT');
      const { code, signal } = await child.ended();
      // npm ends by SIGINT itself, whatever its program makes of that; a shell says 130.
      assert.ok(
        signal === 'SIGINT' || code === 0 || code === 130,
        `${child.name}\nended with ${code}:\n${child.output}`,
      );
    }
    const left = (): string =>
      processesWithMark(this.sandbox.mark)
        .map(({ command }) => command)
        .join('\n');
    await eventually('no process is left', () => left() === '', 5_000).catch((error: unknown) => {
      throw new Error(`still running:\n${left()}`, { cause: error });
    });
    assert.deepEqual(portsInUse(ports), []);
  }
}

/** The TCP ports that commands make something listen on. */
function portsOf(scripts: readonly string[]): number[] {
  const named = scripts.flatMap((script) => [
    ...script.matchAll(/(?:--expose[ =]|--[a-z]+-port[ =]|127\.0\.0\.1:|localhost:)(\d+)/g),
  ]);
  return [...new Set([...defaultPorts, ...named.map(([, port]) => Number(port))])];
}

async function run(t: TestContext, steps: readonly Step[]): Promise<void> {
  await using _ports = await claimDefaultPorts();
  const scripts = steps.flatMap((step) => (step.type === 'stop' ? [] : [step.script]));
  const taken = portsInUse(portsOf(scripts));
  const busy = skipWithout(Object.fromEntries(taken.map((port) => [`a free port ${port}`, null])));
  if (busy !== false) {
    t.skip(busy);
    return;
  }
  await using sandbox = await Sandbox.create();
  await cloneByLinks(sandbox);
  const tour = new Tour(sandbox);
  const started = performance.now();
  for (const step of steps) await tour.take(step);
  await tour.stop();
  const count = scripts.join('\n').split('\n').length;
  t.diagnostic(
    `${scripts.length} fences, ${count} lines, ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}

describe('README.md', () => {
  test(
    'its commands work as typed, in their order',
    {
      skip: skipWithout({
        npm: findProgram('npm'),
        curl: readme.includes('curl ') ? findProgram('curl') : '',
      }),
    },
    async (t) => {
      const steps = readSteps(readme);
      assert.ok(
        steps.some(({ type }) => type === 'run'),
        'there are commands to run',
      );
      await run(t, steps);
    },
  );

  test('commands are found with their marks, and what nobody would run is refused', () => {
    const text = [
      'Text.',
      '<!-- run: background until "it is up" -->',
      '```sh',
      'first',
      '```',
      '```yaml',
      'not: a command',
      '```',
      '<!-- run: prints "one" "two" -->',
      '```sh',
      'second',
      'third',
      '```',
      '<!-- run: stop -->',
    ];
    assert.deepEqual(readSteps(text.join('\n')), [
      { type: 'background', line: 3, script: 'first', until: 'it is up' },
      { type: 'run', line: 10, script: 'second\nthird', prints: ['one', 'two'] },
      { type: 'stop', line: 14 },
    ]);
    assert.deepEqual(readSteps('Only text.'), []);
    for (const wrong of [
      '```bash\nls\n```',
      '```sh\nls',
      '<!-- run: sometimes -->\n```sh\nls\n```',
      '<!-- run: prints "a" -->\nText between.\n```sh\nls\n```',
      'Text <!-- run: stop -->',
    ]) {
      assert.throws(() => readSteps(wrong), /^Error: line \d/, wrong);
    }
  });
});
