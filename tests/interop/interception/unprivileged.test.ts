// The ways through the proxy that take no privileges: a program is told of it, and no rule leads anybody anywhere.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  findProgram,
  freePort,
  listenLocally,
  skipWithout,
  startChild,
  runChild,
  temporaryDirectory,
  waitForPort,
} from '@heddle/testkit';
import { launcher } from './support/network-namespace.ts';

const skip = skipWithout({ curl: findProgram('curl'), setpriv: findProgram('setpriv') });
const router = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' };
const manager = {
  '@type':
    'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  stat_prefix: 'web',
  route_config: {
    virtual_hosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'application' } }],
      },
    ],
  },
  http_filters: [{ name: 'envoy.filters.http.router', typed_config: router }],
};
const socketAddress = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const listener = (name: string, address: object) => ({
  name,
  address,
  filter_chains: [
    { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
  ],
});

describe('without privileges', { skip }, () => {
  test('loopback listeners, HTTP_PROXY and Unix sockets lead through the proxy', async () => {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await temporaryDirectory());
    const application = stack.use(
      await listenLocally(
        createServer((request, response) => {
          const by = request.headers['x-request-id'] === undefined ? 'directly' : 'by a proxy';
          response.end(`${request.headers.host} ${by}\n`);
        }),
      ),
    );
    const port = await freePort();
    const file = join(directory.path, 'proxy.sock');
    const abstract = `heddle-test-${process.pid}`;
    const endpoint = { endpoint: { address: socketAddress(application.port) } };
    const bootstrap = join(directory.path, 'bootstrap.json');
    await writeFile(
      bootstrap,
      JSON.stringify({
        static_resources: {
          listeners: [
            listener('loopback', socketAddress(port)),
            listener('file', { pipe: { path: file, mode: 0o600 } }),
            listener('abstract', { pipe: { path: `@${abstract}` } }),
          ],
          clusters: [
            {
              name: 'application',
              type: 'STATIC',
              load_assignment: { cluster_name: 'application', endpoints: [{ lb_endpoints: [endpoint] }] },
            },
          ],
        },
      }),
    );
    // Whoever runs the tests, the proxy has no capability.
    const without = process.getuid?.() === 0 ? [findProgram('setpriv')!, '--bounding-set', '-all'] : ['env'];
    const words = [...without.slice(1), launcher, 'proxy', '--bootstrap', bootstrap];
    const proxy = stack.use(await startChild(without[0]!, { arguments: words }));
    await proxy.line(/listener abstract on/);
    await waitForPort(port);
    const ask = async (...parameters: readonly string[]): Promise<string> => {
      const curl = await runChild(findProgram('curl')!, {
        arguments: ['--silent', '--show-error', '--max-time', '10', ...parameters],
        environment: { http_proxy: undefined, no_proxy: undefined },
      });
      assert.equal(curl.exit?.code, 0, curl.output);
      return curl.stdout.trim();
    };
    assert.equal(await ask(`http://127.0.0.1:${port}/`), `127.0.0.1:${port} by a proxy`);
    assert.equal(
      await ask('--proxy', `http://127.0.0.1:${port}`, 'http://a.example/'),
      'a.example by a proxy',
    );
    assert.equal(await ask('--unix-socket', file, 'http://b.example/'), 'b.example by a proxy');
    assert.equal(await ask('--abstract-unix-socket', abstract, 'http://c.example/'), 'c.example by a proxy');
  });
});
