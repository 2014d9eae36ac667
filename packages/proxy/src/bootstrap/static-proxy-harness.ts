// A static proxy on sockets before a server of Node's, for tests.
import { once } from 'node:events';
import {
  type Agent,
  createServer,
  type IncomingHttpHeaders,
  request,
  type RequestListener,
  type Server,
} from 'node:http';
import { systemClock, systemRandom } from '@heddle/base';
import { Loggers } from '../stack/loggers.ts';
import { StaticProxy, type StaticProxyOptions } from './static-proxy.ts';

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;

export const loopback = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

/** A cluster of one endpoint on loopback. */
export function clusterTo(name: string, port: number) {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(port) } }] }],
    },
  };
}

/** A plain listener whose every request goes to `cluster`. */
export function listenerTo(name: string, cluster: string, more: object = {}, moreHttp: object = {}) {
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: name,
    route_config: {
      name: `routes-of-${name}`,
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster } }] },
      ],
    },
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
    ...moreHttp,
  };
  return {
    name,
    address: loopback(0),
    filter_chains: [
      { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
    ],
    ...more,
  };
}

/** One answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Keeps the connection; without it each request has its own. */
  readonly agent?: Agent;
}

/** Sends one request to `address`, which is `host:port`. */
export function ask(address: string, path: string, options: AskOptions = {}): Promise<Answer> {
  const separator = address.lastIndexOf(':');
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method = 'GET', headers = {}, agent } = options;
  const asked = request(
    {
      host: address.slice(0, separator),
      port: Number(address.slice(separator + 1)),
      path,
      method,
      headers,
      agent: agent ?? false,
    },
    (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    },
  );
  asked.on('error', reject);
  asked.end();
  return promise;
}

/** A backend on loopback and the port it has. */
export async function startBackend(handler: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
}

/** Starts what `bootstrap` says; throws with its problems where it is wrong. */
export async function startStaticProxy(
  bootstrap: unknown,
  options: Partial<StaticProxyOptions> = {},
): Promise<StaticProxy> {
  const started = await StaticProxy.start(
    { file: 'test.yaml', value: bootstrap, locate: () => null },
    {
      clock: systemClock,
      random: systemRandom,
      loggers: new Loggers('off'),
      drain: { drainTimeMs: 600_000, strategy: 'immediate' },
      concurrency: 1,
      inherited: [],
      description: { options: { concurrency: 1 }, epoch: 0 },
      stopped: new Promise(() => undefined),
      onQuit: () => undefined,
      onFailed: () => undefined,
      ...options,
    },
  );
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  return started.value;
}
