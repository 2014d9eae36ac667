import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import * as mesh from './generated-mesh.ts';

/** What the generated mesh holds: the bookstore with its troubles, or nothing yet. */
export type Scenario = 'bookstore' | 'empty';

interface ContractOptions {
  readonly scenario?: Scenario;
  /** Default: a free one. */
  readonly port?: number;
  /** Those that another server began, for one that takes its place. */
  readonly sessions?: Set<string>;
}

export interface ContractServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly token: string;
  readonly sessions: Set<string>;
  close(): Promise<void>;
}

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

const currentSecond = (): number => Math.floor(Date.now() / 1000);

/**
 * Serves the built dashboard and the control plane's API with generated data, for tests of the dashboard alone: states
 * of a mesh that are hard to bring about for real.
 */
export async function startContractServer(
  directory: string,
  options: ContractOptions = {},
): Promise<ContractServer> {
  const { scenario = 'bookstore', port = 0, sessions = new Set<string>() } = options;
  const token = 'token-of-a-test';
  const server = createServer((request, response) => {
    void answer(request, response, directory, scenario, token, sessions);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    token,
    sessions,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  directory: string,
  scenario: Scenario,
  token: string,
  sessions: Set<string>,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const host = request.headers.host ?? '';
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) {
    fail(response, 403, 'HEDDLE_API_FOREIGN_HOST', `The host ${host} is not this control plane.`);
    return;
  }
  if (!url.pathname.startsWith('/api/')) {
    await sendFile(response, directory, url.pathname);
    return;
  }
  if (url.pathname === '/api/v1/login') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { token?: string };
    if (body.token !== token) {
      fail(response, 401, 'HEDDLE_API_WRONG_TOKEN', 'This token is not valid.');
      return;
    }
    const session = randomUUID();
    sessions.add(session);
    response
      .writeHead(204, { 'set-cookie': `heddle_session=${session}; HttpOnly; SameSite=Strict; Path=/` })
      .end();
    return;
  }
  const session = /heddle_session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
  if (!sessions.has(session)) {
    fail(response, 401, 'HEDDLE_API_UNAUTHENTICATED', 'Log in first.');
    return;
  }
  if (url.pathname === '/api/v1/logout') {
    sessions.delete(session);
    response.writeHead(204, { 'set-cookie': 'heddle_session=; Max-Age=0; Path=/' }).end();
    return;
  }
  sendApi(response, url, scenario);
}

function sendApi(response: ServerResponse, url: URL, scenario: Scenario): void {
  const now = Date.now();
  const second = currentSecond();
  const isEmpty = scenario === 'empty';
  switch (url.pathname) {
    case '/api/v1/status':
      json(response, {
        version: '0.1.0',
        startedAt: now - 3 * 3_600_000,
        trustDomain: 'cluster.local',
        revision: isEmpty ? 0 : 12,
        apiAddress: '127.0.0.1:15080',
        xdsAddress: '127.0.0.1:15012',
        joinAddress: '127.0.0.1:15011',
        proxies: isEmpty ? 0 : 6,
        instances: isEmpty ? 0 : 7,
      });
      return;
    case '/api/v1/services':
      json(response, isEmpty ? { services: [] } : mesh.servicesAt(second));
      return;
    case '/api/v1/endpoints':
      json(response, isEmpty ? { endpoints: [] } : mesh.endpointsAt(now));
      return;
    case '/api/v1/proxies':
      json(response, isEmpty ? { proxies: [] } : mesh.proxiesAt(now));
      return;
    case '/api/v1/certificates':
      json(response, isEmpty ? { certificates: [] } : mesh.certificatesAt(now));
      return;
    case '/api/v1/resources/virtualservices':
      json(response, { items: isEmpty ? [] : mesh.VIRTUAL_SERVICES });
      return;
    case '/api/v1/resources/destinationrules':
      json(response, { items: isEmpty ? [] : mesh.DESTINATION_RULES });
      return;
    case '/api/v1/traffic':
      json(
        response,
        isEmpty
          ? { intervalMs: 1000, endMs: now, services: [] }
          : mesh.trafficUpTo(second, Number(url.searchParams.get('seconds') ?? 300)),
      );
      return;
    case '/api/v1/traffic/stream':
      stream(response, isEmpty);
      return;
    default:
      fail(response, 404, 'HEDDLE_NOT_FOUND', `There is no ${url.pathname}.`);
  }
}

function stream(response: ServerResponse, isEmpty: boolean): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (): void => {
    const second = currentSecond();
    const data = { timeMs: second * 1000, services: isEmpty ? [] : mesh.samplesAt(second) };
    response.write(`event: traffic\ndata: ${JSON.stringify(data)}\n\n`);
  };
  send();
  const timer = setInterval(send, 1000);
  response.on('close', () => {
    clearInterval(timer);
  });
}

async function sendFile(response: ServerResponse, directory: string, path: string): Promise<void> {
  const file = join(directory, normalize(path === '/' ? '/index.html' : path));
  const found = await stat(file).catch(() => null);
  if (!file.startsWith(directory) || found === null || !found.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': CONTENT_SECURITY_POLICY,
  });
  createReadStream(file).pipe(response);
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message } }));
}
