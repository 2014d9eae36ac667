// Certificates that are good for seconds, under load: Envoy gets each new one from its agent, and nobody notices.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@heddle/base';
import { startControlPlane } from '@heddle/control-plane';
import { eventually, findEnvoy, skipWithout } from '@heddle/testkit';
import { Load } from '../../e2e/support/load.ts';
import { Sandbox, testApp } from '../../e2e/support/sandbox.ts';

const envoy = findEnvoy();
const ttlMs = 6000;

interface Certificates {
  readonly certificates: readonly { readonly cert_chain: readonly { readonly serial_number: string }[] }[];
}

test(
  'a renewed certificate reaches Envoy without a failed request',
  { skip: skipWithout({ envoy }) },
  async () => {
    await using sandbox = await Sandbox.create();
    const controlPlane = await startControlPlane({
      storeDirectory: sandbox.path('.heddle'),
      apiPort: 0,
      xdsPort: 0,
      joinPort: 0,
      leafTtlMs: ttlMs,
      logger: silentLogger,
    });
    try {
      const byEnvoy = ['--proxy', 'envoy', '--envoy', envoy ?? ''];
      const run = (service: string, port: number, flags: readonly string[], command: readonly string[]) =>
        sandbox.startHeddle(['run', '--service', service, '--port', `${port}`, ...flags, '--', ...command]);
      const answer = `require('node:http').createServer((_, response) => response.end('good'))
      .listen(process.env.PORT, '127.0.0.1')`;
      const server = run('server', 9080, byEnvoy, [process.execPath, '-e', answer]);
      await server.line(/ is published as /);
      const clients = [byEnvoy, []].map((flags) =>
        run('client', 0, ['--upstream', 'server:9080', ...flags], [process.execPath, testApp('client.ts')]),
      );
      const urls = await Promise.all(
        clients.map(async (client) => {
          const [, environment] = await client.line(/^environment (\{.*\})$/);
          return (JSON.parse(environment!) as Record<string, string>)['SERVER_URL']!;
        }),
      );
      // The agents' own admin ports are in what their Envoys were started with.
      const directory = sandbox.path('.heddle', 'sidecars');
      const instance = (await readdir(directory)).find((name) => name.startsWith('server-'))!;
      const { admin } = JSON.parse(await readFile(join(directory, instance, 'envoy.json'), 'utf8')) as {
        admin: { address: { socket_address: { port_value: number } } };
      };
      const serial = async (): Promise<string> => {
        const page = await fetch(`http://127.0.0.1:${admin.address.socket_address.port_value}/certs`);
        const { certificates } = (await page.json()) as Certificates;
        return certificates.flatMap(({ cert_chain: chain }) => chain)[0]?.serial_number ?? '';
      };
      await using first = new Load({ url: urls[0]! }, 50);
      await using second = new Load({ url: urls[1]! }, 50);
      const loads = [first, second];
      for (const load of loads) await load.more(20);
      const seen = new Set<string>();
      await eventually(
        'three certificates',
        async () => seen.add(await serial()).size >= 3 + Number(seen.has('')),
        4 * ttlMs,
      );
      for (const load of loads) {
        const { failures, sent } = await load.stop();
        assert.deepEqual(failures, []);
        assert.ok(sent > 100, `${sent} requests`);
      }
      for (const { output } of [server, ...clients]) assert.doesNotMatch(output, /refused/);
    } finally {
      await controlPlane.close();
    }
  },
);
