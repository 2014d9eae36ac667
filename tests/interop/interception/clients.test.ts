// Programs that know nothing of a proxy, led through one by the packet filter.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Child, findEnvoy, findProgram, temporaryDirectory } from '@heddle/testkit';
import { Address, type Pair, createPair, launcher, skipInterception } from './support/network-namespace.ts';
import { listenIn, probeFrom } from './support/order.ts';
import { type SidecarSettings, sidecarBootstrap } from './support/sidecar-bootstrap.ts';

const envoy = findEnvoy();
const skip = skipInterception('setpriv', 'curl', 'python3', 'java');
const file = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));
const both = (port: number) => [
  { host: '0.0.0.0', port },
  { host: '::', port },
];

/** The programs by which an intercepting proxy is started. */
const proxies: Readonly<Record<string, (bootstrap: string) => readonly string[]>> = {
  heddle: (bootstrap) => [launcher, 'proxy', '--bootstrap', bootstrap],
  ...(envoy === null
    ? {}
    : { envoy: (bootstrap) => [envoy, '--use-dynamic-base-id', '-l', 'warn', '-c', bootstrap] }),
};

/** Two machines, servers in both, and a proxy in the application's, under a group of its own. */
async function openMachines(
  stack: AsyncDisposableStack,
  command: (bootstrap: string) => readonly string[],
  settings: Partial<SidecarSettings> = {},
): Promise<{ readonly pair: Pair; readonly proxy: Child }> {
  const pair = stack.use(await createPair());
  const directory = stack.use(await temporaryDirectory());
  const bootstrap = join(directory.path, 'bootstrap.json');
  const text = sidecarBootstrap({
    isTransparent: false,
    service: Address.service,
    applicationPort: 8080,
    servicePort: 80,
    ...settings,
  });
  await writeFile(bootstrap, text);
  const words = ['setpriv', '--regid', '1337', '--clear-groups', ...command(bootstrap)];
  const greeting = both(2525);
  const [, , proxy] = await Promise.all([
    listenIn(stack, pair.world, {
      label: 'world',
      redirected: false,
      tcp: greeting,
      udp: [],
      http: both(80),
    }),
    listenIn(stack, pair.app, {
      label: 'app',
      redirected: false,
      tcp: greeting,
      udp: [],
      http: [{ host: '127.0.0.1', port: 8080 }, ...both(80)],
    }),
    pair.app.start(words),
  ]);
  stack.use(proxy);
  await waitUntilReady(pair);
  return { pair, proxy };
}

async function waitUntilReady({ app }: Pair): Promise<void> {
  const words = [
    '--silent',
    '--retry',
    '50',
    '--retry-connrefused',
    '--retry-delay',
    '0',
    '--retry-max-time',
    '20',
  ];
  const child = await app.run([findProgram('curl')!, ...words, 'http://127.0.0.1:15000/ready']);
  assert.equal(child.exit?.code, 0, child.output);
}

async function apply(pair: Pair, ...flags: readonly string[]): Promise<void> {
  const applied = await pair.app.heddle('intercept', 'apply', '--proxy-uid', '1337', ...flags);
  assert.equal(applied.exit?.code, 0, applied.output);
}

async function output(pair: Pair, ...words: readonly string[]): Promise<readonly string[]> {
  const child = await pair.app.run(words);
  assert.equal(child.exit?.code, 0, child.output);
  return child.stdout.trim().split('\n');
}

for (const [name, command] of Object.entries(proxies)) {
  describe(`programs that know nothing of a proxy, ${name}`, { skip }, () => {
    test('are led through it, by IPv4 and IPv6', async () => {
      await using stack = new AsyncDisposableStack();
      const { pair, proxy } = await openMachines(stack, command);
      await apply(pair);
      const urls = [`http://${Address.service}/`, `http://[${Address.service6}]/`];
      const bodies = [
        `world ${Address.service} by a proxy from ${Address.app}`,
        `world [${Address.service6}] by a proxy from ${Address.app6}`,
      ];
      assert.deepEqual(await output(pair, 'curl', '--silent', '--show-error', ...urls), bodies);
      const answers = bodies.map((body) => `200 ${body}`);
      assert.deepEqual(await output(pair, 'python3', file('client.py'), ...urls), answers);
      const twice = answers.flatMap((one) => [one, one]);
      assert.deepEqual(await output(pair, 'java', file('Client.java'), ...urls), twice);
      // The proxy knows where each was meant to go.
      await proxy.line(new RegExp(`^outbound http ${Address.service}:80 from ${Address.app}$`));
      await proxy.line(new RegExp(`^outbound http \\[${Address.service6}\\]:80 from ${Address.app6}$`));
    });

    test('reach a service by its name in the mesh', async () => {
      await using stack = new AsyncDisposableStack();
      const { pair, proxy } = await openMachines(stack, command);
      await apply(pair);
      const resolve = ['--resolve', 'named.mesh.test:80:240.240.0.1'];
      assert.deepEqual(await output(pair, 'curl', '--silent', ...resolve, 'http://named.mesh.test/'), [
        `world named.mesh.test by a proxy from ${Address.app}`,
      ]);
      await proxy.line(/^outbound http 240\.240\.0\.1:80 /);
    });

    test('are not kept waiting by a server that speaks first', async () => {
      await using stack = new AsyncDisposableStack();
      const { pair, proxy } = await openMachines(stack, command);
      await apply(pair);
      const targets = [Address.service, Address.service6].map((host) => ({ host, port: 2525 }));
      const answers = await probeFrom(pair.app, { targets });
      assert.deepEqual(answers, [
        `world ${Address.service} 2525 from ${Address.app}`,
        `world ${Address.service6} 2525 from ${Address.app6}`,
      ]);
      await proxy.line(new RegExp(`^outbound tcp ${Address.service}:2525 `));
    });

    test('are reached through it from elsewhere', async () => {
      await using stack = new AsyncDisposableStack();
      const { pair, proxy } = await openMachines(stack, command);
      await apply(pair);
      const curl = await pair.world.run([findProgram('curl')!, '--silent', `http://${Address.app}/`]);
      assert.equal(curl.stdout, `app ${Address.app} by a proxy from 127.0.0.1\n`);
      await proxy.line(new RegExp(`^inbound http ${Address.app}:80 from ${Address.world}$`));
      // A port that nobody has described goes on as it came.
      const targets = [Address.app, Address.app6].map((host) => ({ host, port: 2525 }));
      assert.deepEqual(await probeFrom(pair.world, { targets }), [
        `app ${Address.app} 2525 from 127.0.0.6`,
        `app ${Address.app6} 2525 from ::6`,
      ]);
    });

    test('see their caller’s address behind TPROXY', async () => {
      await using stack = new AsyncDisposableStack();
      const { pair, proxy } = await openMachines(stack, command, { isTransparent: true });
      await apply(pair, '--mode', 'tproxy');
      const curl = await pair.world.run([findProgram('curl')!, '--silent', `http://${Address.app}/`]);
      assert.equal(curl.stdout, `app ${Address.app} by a proxy from ${Address.world}\n`);
      await proxy.line(new RegExp(`^inbound http ${Address.app}:80 from ${Address.world}$`));
      const curl6 = await pair.world.run([findProgram('curl')!, '--silent', `http://[${Address.app6}]/`]);
      assert.equal(curl6.stdout, `app [${Address.app6}] by a proxy from ${Address.world6}\n`);
      const answers = await probeFrom(pair.world, { targets: [{ host: Address.app, port: 2525 }] });
      assert.deepEqual(answers, [`app ${Address.app} 2525 from ${Address.world}`]);
    });

    test('connect as before once interception is removed', async () => {
      await using stack = new AsyncDisposableStack();
      const { pair } = await openMachines(stack, command);
      const before = await pair.app.configuration();
      await apply(pair, '--backend', 'nft');
      const removed = await pair.app.heddle('intercept', 'remove');
      assert.equal(removed.exit?.code, 0, removed.output);
      assert.equal(await pair.app.configuration(), before);
      assert.deepEqual(await output(pair, 'curl', '--silent', `http://${Address.service}/`), [
        `world ${Address.service} directly from ${Address.app}`,
      ]);
    });
  });
}
