import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { splitShortFlags } from './app.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('heddle', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'heddle-cli-'));
  });
  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function heddle(arguments_: readonly string[], nodeFlags: readonly string[] = []): Promise<Outcome> {
    const environment = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const command = [...nodeFlags, program, ...arguments_];
    const options = { cwd: directory, env: environment };
    execFile(process.execPath, command, options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    return await promise;
  }

  it('points from an unknown command of a group to the help of the group', async () => {
    const { code, stderr } = await heddle(['intercept', 'foo']);
    assert.equal(code, 2);
    assert.match(stderr, /hint: `heddle intercept --help` lists the commands/);
  });

  it('explains every command within 80 columns, with an example', async () => {
    const commands = [
      'up',
      'run',
      'apply',
      'get',
      'delete',
      'analyze',
      'history',
      'rollback',
      'proxy',
      'demo',
      'token create',
      'version',
    ];
    const texts = await Promise.all(
      ['', ...commands, 'token'].map(async (name) => {
        const { code, stdout, stderr } = await heddle([
          ...name.split(' ').filter((word) => word !== ''),
          '--help',
        ]);
        assert.equal(code, 0, stderr);
        return [name, stdout] as const;
      }),
    );
    for (const [name, text] of texts) {
      for (const line of text.split('\n')) assert.ok(line.length <= 80, `heddle ${name}: ${line}`);
      if (commands.includes(name))
        assert.match(text, new RegExp(`\n  .*heddle ${name}`), `example of ${name}`);
    }
    const [, root] = texts[0]!;
    for (const name of commands) assert.ok(root.includes(`  ${name.split(' ')[0]}  `), `${name} is listed`);
  });

  it('takes `help` for --help', async () => {
    for (const words of [[], ['run'], ['token', 'create']]) {
      const asked = await heddle(['help', ...words]);
      assert.equal(asked.code, 0, asked.stderr);
      assert.equal(asked.stdout, (await heddle([...words, '--help'])).stdout);
    }
  });

  it('loads none of the mesh to show help', async () => {
    const hook = `import {registerHooks} from 'node:module';
      registerHooks({load(url,c,n){if(url.startsWith('file:'))process._rawDebug(url);return n(url,c)}})`;
    const flags = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const { stderr } = await heddle(['--help'], flags);
    const loaded = stderr.trim().split('\n');
    assert.ok(
      loaded.some((url) => url.endsWith('packages/cli/src/app.ts')),
      stderr,
    );
    const foreign = loaded.filter((url) => !/packages\/(?:cli|base)\/|@stricli\/core/.test(url));
    assert.deepEqual(foreign, []);
    assert.ok(
      !loaded.some((url) => /supervisor\/(?!workload-options)|\/(?:demo|up|run|get|api)\/\w/.test(url)),
      stderr,
    );
  });

  it('names the nearest command, flag, kind and value it knows', async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [['aply'], /^error: there is no command 'aply'; did you mean 'apply'\?\n$/],
      [['token', 'creat'], /did you mean 'create'\?/],
      [['run', '--servce', 'a'], /^error: there is no flag --servce; did you mean --service\?\n$/],
      [['get', 'servces'], /^error: there is no kind 'servces'; did you mean 'services'\?/],
      [['get', 'svc', '-o', 'jsn'], /^error: --output: 'jsn' is none of .*; did you mean json\?\n$/],
      [['help', 'aply'], /^error: there is no command 'aply'; did you mean 'apply'\?\n$/],
      [['hlp', 'run'], /^error: there is no command 'hlp'\nhint: /],
      [['run', '--frobs', 'a'], /^error: there is no flag --frobs\n/],
      [['run', '-x'], /^error: there is no flag -x\n/],
    ];
    for (const [arguments_, expected] of cases) {
      const { code, stderr } = await heddle(arguments_);
      assert.equal(code, 2, stderr);
      assert.match(stderr, expected);
    }
  });

  it('says in one sentence what is wrong with a command line', async () => {
    const run = ['run', '--service', 'a', '--port', '80'];
    const cases: readonly (readonly [string[], RegExp])[] = [
      [['run', '--port', '80', '--', 'true'], /^error: --service is missing/],
      [['run', '--service', 'a', '--', 'true'], /^error: --port is missing/],
      [run, /^error: there is no command to run\n/],
      [['run', '--service', 'a', '--port', 'x', '--', 'true'], /^error: --port: 'x' is no port/],
      [[...run, '--upstream', 'b', '--', 'true'], /^error: --upstream: 'b' names no port/],
      [[...run, '--expose', 'a:1', '--', 'true'], /^error: --expose: 'a:1' is no address/],
      [
        [...run, '--version', 'v 1', '--', 'true'],
        /^error: --version: 'v 1' can't be a label: use at most 63/,
      ],
      [[...run, '--label', 'a=b c', '--', 'true'], /^error: --label: 'b c' is no value of a label: use /],
      [['get', 'svc', '--server', 'foo'], /^error: --server: 'foo' is no URL of a control plane/],
      [['get', 'svc', '--server', 'foo:1'], /^error: --server: 'foo:1' is no URL of a control plane/],
      [
        ['apply', 'my rules.yaml'],
        /^error: 'my rules\.yaml' .*\nhint: files are named with -f: heddle apply -f 'my rules\.yaml'\n$/,
      ],
      [['apply'], /^error: --filename is missing/],
      [['get'], /^error: KIND is missing/],
      [['get', 'svc', 'a', 'b'], /^error: 'b' is one argument too many/],
      [['delete'], /^error: nothing to delete/],
      [['delete', 'vs'], /^error: the name is missing/],
    ];
    for (const [arguments_, expected] of cases) {
      const { code, stderr, stdout } = await heddle(arguments_);
      assert.equal(code, 2, `${arguments_.join(' ')}: ${stderr}`);
      assert.match(stderr, expected);
      assert.equal(stdout, '');
      assert.doesNotMatch(stderr, /\n {4}at /);
    }
  });

  it('says which control plane does not answer and what to do', async () => {
    const none = await heddle(['get', 'services']);
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^error: no control plane has been started here: .*\nhint: start one with `heddle up`/,
    );
    const file = { pid: 0x7fff_fff0, apiAddress: '127.0.0.1:1', xdsAddress: 'a:1', joinAddress: 'a:1' };
    await rm(join(directory, '.heddle'), { recursive: true, force: true });
    const store = await mkdtemp(join(directory, 'store-'));
    await writeFile(join(store, 'control-plane.json'), JSON.stringify(file));
    await writeFile(join(store, 'admin-token'), 't');
    const dead = await heddle(['get', 'services', '--store', store]);
    assert.equal(dead.code, 1);
    assert.match(
      dead.stderr,
      /does not answer at 127\.0\.0\.1:1: it has ended .*\nhint: start it again: heddle up/,
    );
    const damaged = await mkdtemp(join(directory, 'store-'));
    await writeFile(join(damaged, 'control-plane.json'), '{');
    assert.match((await heddle(['get', 'vs', '--store', damaged])).stderr, /HEDDLE_STORE_CORRUPT/);
    assert.match((await heddle(['run', '--service', 'a', '--port', '1', '--', 'true'])).stderr, /heddle up/);
    assert.equal((await heddle(['run', '--service', 'a', '--port', '1', '--', 'true'])).code, 125);
    assert.equal((await heddle(['run', '--service', 'a', '--port', '1', '--', 'nope'])).code, 127);
  });

  it('shows what is wrong with a file, and what an object has become', async () => {
    const file = join(directory, 'a.yaml');
    await writeFile(file, 'kind: X\nspec: {}\n');
    const seen: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`);
        const problem = {
          code: 'HEDDLE_UNKNOWN_KIND',
          severity: 'error',
          message: 'no kind X',
          file,
          line: 1,
          column: 7,
        };
        const reference = {
          apiVersion: 'networking.istio.io/v1',
          kind: 'VirtualService',
          namespace: 'shop',
          name: 'a',
        };
        const isApply = request.url === '/api/v1/apply';
        response.writeHead(isApply ? 422 : 200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(
            isApply
              ? { error: { code: 'HEDDLE_APPLY_REFUSED', message: 'refused', problems: [problem] } }
              : { results: [{ ...reference, change: 'deleted' }] },
          ),
        );
      });
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    const address = server.address();
    const apiAddress = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const store = await mkdtemp(join(directory, 'store-'));
    const state = { pid: process.pid, apiAddress, xdsAddress: 'a:1', joinAddress: 'a:1' };
    await writeFile(join(store, 'control-plane.json'), JSON.stringify(state));
    await writeFile(join(store, 'admin-token'), 'secret\n');
    const refused = await heddle(['apply', '-f', file, '-nshop', '--store', store]);
    assert.equal(refused.code, 1);
    assert.equal(
      refused.stderr,
      `${file}:1:7: error: no kind X\n  1 | kind: X\n    |       ^\n  (HEDDLE_UNKNOWN_KIND)\n` +
        'error: 1 error, nothing was stored (HEDDLE_APPLY_REFUSED)\n',
    );
    const deleted = await heddle(['delete', 'vs', 'a', '-n', 'shop', '--store', store]);
    assert.equal(deleted.code, 0);
    assert.equal(deleted.stdout, 'virtualservice.networking.istio.io/a (namespace shop) deleted\n');
    server.close();
    server.closeAllConnections();
    assert.match(seen[0] ?? '', /^POST \/api\/v1\/apply Bearer secret .*"namespace":"shop","strict":false/);
    assert.match(seen[1] ?? '', /^POST \/api\/v1\/delete Bearer secret .*VirtualService/);
  });

  it('names the nearest file where one is missing', async () => {
    await writeFile(join(directory, 'reviews.yaml'), '');
    const { stderr, code } = await heddle(['apply', '-f', 'review.yaml']);
    assert.equal(code, 1);
    assert.match(stderr, /^error: there is no file 'review\.yaml' .*\nhint: did you mean 'reviews\.yaml'\?/);
    const extension = await heddle(['apply', '-f', 'reviews.yml']);
    assert.match(extension.stderr, /did you mean 'reviews\.yaml'\?/);
    assert.doesNotMatch((await heddle(['apply', '-f', 'nope.yaml'])).stderr, /hint/);
  });

  it('says why a URL with a forbidden port cannot be read', async () => {
    const { stderr, code } = await heddle(['apply', '-f', 'http://127.0.0.1:1/x.yaml']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: can't read 'http:\S+': HTTP clients refuse its port.*HEDDLE_FILE_UNREADABLE/,
    );
  });
});

describe('splitShortFlags', () => {
  it("takes kubectl's short flags apart, but not those of the command that is run", () => {
    assert.deepEqual(splitShortFlags(['get', 'vs', '-oyaml', '-nprod', '-A', '-n', 'x', '-f', '-']), [
      ...['get', 'vs', '-o', 'yaml', '-n', 'prod', '-A', '-n', 'x', '-f', '-'],
    ]);
    assert.deepEqual(splitShortFlags(['run', '--', 'a', '-oyaml']), ['run', '--', 'a', '-oyaml']);
  });
});
