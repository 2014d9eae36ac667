import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Child, eventually, freePort, startChild, temporaryDirectory } from '@heddle/testkit';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));
const manager = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

const dnsFilter = 'envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig';

/** A listener that answers for one name. */
function dnsListener(port: number): string {
  return `
    - name: dns
      address: { socket_address: { protocol: UDP, address: 127.0.0.1, port_value: ${port} } }
      listener_filters:
        - name: envoy.filters.udp.dns_filter
          typed_config:
            "@type": type.googleapis.com/${dnsFilter}
            stat_prefix: dns
            server_config:
              inline_dns_table:
                virtual_domains: [{ name: app.test, endpoint: { address_list: { address: [192.0.2.1] } } }]`;
}

function bootstrap(port: number, backendPort: number, dnsPort = 0): string {
  const address = (at: number) => `{ socket_address: { address: 127.0.0.1, port_value: ${at} } }`;
  return `admin: { address: ${address(0)} }
static_resources:
  listeners:${dnsPort === 0 ? '' : dnsListener(dnsPort)}
    - name: web
      address: ${address(port)}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/${manager}
                stat_prefix: web
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: app } }] }
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
    - name: app
      type: STATIC
      load_assignment:
        cluster_name: app
        endpoints: [{ lb_endpoints: [{ endpoint: { address: ${address(backendPort)} } }] }]
`;
}

/** Sends a POST, which no proxy or client may repeat, and resolves with the status or the error's code. */
function post(port: number, agent: Agent | false, path = '/'): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent }, (response) => {
    response.resume().on('end', () => resolve(String(response.statusCode)));
    response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  sent.end('x');
  return promise;
}

/** Sends requests one after the other until it is stopped, over a connection each or over one that is kept. */
class Load {
  readonly outcomes = new Map<string, number>();
  private isStopped = false;
  private readonly running: Promise<void>[] = [];

  constructor(port: number, clients: number) {
    for (let index = 0; index < clients; index++) {
      const agent = index % 2 === 0 ? false : new Agent({ keepAlive: true, maxSockets: 1 });
      this.running.push(this.send(port, agent));
    }
  }

  get total(): number {
    return [...this.outcomes.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.running);
  }

  private async send(port: number, agent: Agent | false): Promise<void> {
    while (!this.isStopped) {
      const outcome = await post(port, agent);
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    }
    if (agent !== false) agent.destroy();
  }
}

interface Setup {
  readonly child: Child;
  readonly port: number;
  readonly pidFile: string;
  readonly configFile: string;
  readonly backendPort: number;
}

/** Which the backend holds: answered when it is called. */
let held: (() => void) | null = null;

async function setUp(
  t: TestContext,
  concurrency: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Setup> {
  const directory = await temporaryDirectory();
  const backend = createServer((message, response) => {
    message.resume().on('end', () => {
      if (message.url === '/held') held = () => response.end('late');
      else response.end('hello');
    });
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const address = backend.address();
  const backendPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const port = await freePort();
  const configFile = join(directory.path, 'envoy.yaml');
  const pidFile = join(directory.path, 'heddle.pid');
  await writeFile(configFile, bootstrap(port, backendPort));
  const flags = [
    '--concurrency',
    String(concurrency),
    '--drain-strategy',
    'immediate',
    '--pid-file',
    pidFile,
  ];
  const child = await startChild(process.execPath, {
    arguments: [program, 'proxy', '--bootstrap', configFile, ...flags],
    environment: { ...process.env, ...environment },
  });
  t.after(async () => {
    // One that has ended in order has taken its file along.
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    if (pid > 0 && isRunning(pid)) {
      process.kill(pid, 'SIGTERM');
      await eventually('the last process has ended', () => !isRunning(pid));
    }
    await child[Symbol.asyncDispose]();
    backend.close();
    backend.closeAllConnections();
    await directory[Symbol.asyncDispose]();
  });
  await eventually('it serves', () => child.output.includes('admin on'));
  return { child, port, pidFile, configFile, backendPort };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

for (const concurrency of [1, 2]) {
  test(`SIGUSR2 replaces a process of ${concurrency} thread(s) without a failed request`, async (t) => {
    const { child, port, pidFile } = await setUp(t, concurrency);
    const load = new Load(port, 16);
    const pidOf = async () => Number(await readFile(pidFile, 'utf8'));
    let pid = await pidOf();
    assert.equal(pid, child.process.pid);
    for (let round = 0; round < 2; round++) {
      const before = load.total;
      process.kill(pid, 'SIGUSR2');
      await eventually('another process serves', async () => (await pidOf()) !== pid);
      await eventually('the one before has ended', () => !isRunning(pid) || child.exit !== null);
      pid = await pidOf();
      await eventually('requests go on', () => load.total > before + 100);
    }
    await load.stop();
    assert.deepEqual([...load.outcomes.keys()], ['200'], JSON.stringify([...load.outcomes]));
    process.kill(pid, 'SIGTERM');
  });
}

test('a new process that cannot start leaves the old one serving', async (t) => {
  const { child, port, pidFile, configFile } = await setUp(t, 1);
  const pid = Number(await readFile(pidFile, 'utf8'));
  await writeFile(configFile, 'static_resources: {}');
  process.kill(pid, 'SIGUSR2');
  await eventually('it says so', () => child.output.includes('this one goes on'));
  assert.equal(await post(port, false), '200');
  assert.equal(Number(await readFile(pidFile, 'utf8')), pid);
});

test('a changed configuration takes effect with the new process, sockets that are no longer asked for are closed', async (t) => {
  const { port, pidFile, configFile, backendPort } = await setUp(t, 1);
  const pid = Number(await readFile(pidFile, 'utf8'));
  const other = await freePort();
  await writeFile(configFile, bootstrap(other, backendPort));
  process.kill(pid, 'SIGUSR2');
  await eventually('the new address serves', async () => (await post(other, false)) === '200');
  await eventually('the old one does not', async () => (await post(port, false)) === 'ECONNREFUSED');
});

test('names are answered while a process is replaced, by it or by the next', async (t) => {
  const { child, pidFile, port, configFile, backendPort } = await setUp(t, 1);
  const dnsPort = await freePort();
  const pidOf = async () => Number(await readFile(pidFile, 'utf8'));
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dnsPort}`]);
  await writeFile(configFile, bootstrap(port, backendPort, dnsPort));
  let pid = await pidOf();
  process.kill(pid, 'SIGUSR2');
  await eventually('the next process listens for names too', async () => (await pidOf()) !== pid);
  pid = await pidOf();
  process.kill(pid, 'SIGUSR2');
  let answers = 0;
  do {
    assert.deepEqual(await resolver.resolve4('app.test'), ['192.0.2.1']);
    answers++;
  } while (isRunning(pid));
  t.diagnostic(`${answers} answers meanwhile`);
  assert.notEqual(await pidOf(), pid, child.output);
  assert.deepEqual(await resolver.resolve4('app.test'), ['192.0.2.1']);
});

test('SIGTERM lets a running request end; a second signal does not', async (t) => {
  for (const isForced of [false, true]) {
    const { child, port } = await setUp(t, 1);
    held = null;
    const outcome = post(port, false, '/held');
    await eventually('the backend has the request', () => held !== null);
    child.kill('SIGTERM');
    await eventually('nothing more is accepted', async () => (await post(port, false)) === 'ECONNREFUSED');
    assert.equal(child.exit, null);
    if (isForced) {
      // What comes within half a second of the first one is taken for the same Ctrl-C.
      await eventually('the second signal counts', () => {
        child.kill('SIGTERM');
        return child.exit !== null;
      });
      assert.equal(await outcome, 'ECONNRESET');
    } else {
      held!();
      assert.equal(await outcome, '200');
      assert.equal((await child.ended()).code, 0);
    }
  }
});

test('systemd is told which process serves', async (t) => {
  await using directory = await temporaryDirectory();
  const told = join(directory.path, 'told');
  const notify = join(directory.path, 'systemd-notify');
  await writeFile(notify, `#!/bin/sh\necho "$*" >> ${told}\n`, { mode: 0o755 });
  const { child, pidFile } = await setUp(t, 1, {
    NOTIFY_SOCKET: '/run/nobody',
    PATH: `${directory.path}:${process.env['PATH']}`,
  });
  const tells = async (): Promise<string> => await readFile(told, 'utf8').catch(() => '');
  await eventually(
    'it is told of the first',
    async () => (await tells()) === `--ready MAINPID=${child.pid}\n`,
  );
  child.kill('SIGUSR2');
  await eventually('it is told of the second', async () => {
    const pid = (await readFile(pidFile, 'utf8')).trim();
    return pid !== String(child.pid) && (await tells()).endsWith(`--ready MAINPID=${pid}\n`);
  });
});
