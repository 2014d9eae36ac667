// `heddle proxy` in a process of its own, with the servers that it leads to in the test's: what crosses it is real, and the
// memory that is measured is the proxy's alone.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type RequestListener, type Server as HttpServer, createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, type Server, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeLeaf, makeRoot } from '@heddle/identity/test-authority';
import {
  type Child,
  type TemporaryDirectory,
  memoryOf,
  skipWithout,
  startChild,
  temporaryDirectory,
} from '@heddle/testkit';
import { bootstrapFor, serverName } from './bootstrap.ts';

const launcher = fileURLToPath(new URL('../../../packages/cli/bin/heddle', import.meta.url));
const memoryFile = '/proc/self/smaps_rollup';

/** For `skip`: the system tells what memory a process has to itself. */
export const needsMemory = skipWithout({ [memoryFile]: existsSync(memoryFile) ? memoryFile : null });

/** Listeners: HTTP without and with TLS (on both sides of the proxy), and bytes that come back as they are. */
export type ListenerName = 'plain' | 'tls' | 'tcp' | 'tcp-tls';

async function portOf(server: Server | HttpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export class LoadedProxy {
  readonly child: Child;
  /** Its root is the only one that a client has to trust. */
  readonly certificate: string;
  private readonly ports: ReadonlyMap<string, number>;
  private readonly servers: readonly (Server | HttpServer)[];
  private readonly directory: TemporaryDirectory;

  private constructor(
    child: Child,
    certificate: string,
    ports: ReadonlyMap<string, number>,
    servers: readonly (Server | HttpServer)[],
    directory: TemporaryDirectory,
  ) {
    this.child = child;
    this.certificate = certificate;
    this.ports = ports;
    this.servers = servers;
    this.directory = directory;
  }

  /** Starts servers that answer requests as `serve` does, and the proxy in front of them. */
  static async start(serve: RequestListener): Promise<LoadedProxy> {
    const directory = await temporaryDirectory();
    const root = makeRoot('cluster.local');
    const leaf = makeLeaf(root, 'spiffe://cluster.local/ns/default/sa/web', { dnsNames: [serverName] });
    const credentials = { cert: leaf.pem, key: leaf.keyPem };
    // Connections are many and idle: none is to be closed from this side.
    const patient = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
    const http = createServer(patient, serve);
    const https = createHttpsServer({ ...patient, ...credentials }, serve);
    const echo = createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    const servers = [http, https, echo];
    const [plain, tls, bytes] = [await portOf(http), await portOf(https), await portOf(echo)];
    await writeFile(join(directory.path, 'cert.pem'), leaf.pem);
    await writeFile(join(directory.path, 'key.pem'), leaf.keyPem);
    await writeFile(join(directory.path, 'root.pem'), root.pem);
    const file = join(directory.path, 'bootstrap.json');
    await writeFile(file, JSON.stringify(bootstrapFor({ plain, tls, bytes })));
    const child = await startChild(launcher, {
      arguments: ['proxy', '--bootstrap', file],
      directory: directory.path,
    });
    const ports = new Map<string, number>();
    for (const name of ['plain', 'tls', 'tcp', 'tcp-tls']) {
      const [, port] = await child.line(new RegExp(`listener ${name} on 127\\.0\\.0\\.1:(\\d+)$`));
      ports.set(name, Number(port));
    }
    return new LoadedProxy(child, root.pem, ports, servers, directory);
  }

  port(listener: ListenerName): number {
    return this.ports.get(listener)!;
  }

  /** Bytes that only the proxy has. */
  get memory(): number {
    return memoryOf(this.child.pid).private;
  }

  async close(): Promise<void> {
    await this.child.stop();
    for (const server of this.servers) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    }
    await this.directory[Symbol.asyncDispose]();
  }
}

export const mebibyte = 1024 * 1024;

/** How much a proxy grows from now until `stop`, at most. */
export class MemoryPeak {
  private readonly proxy: LoadedProxy;
  private readonly before: number;
  private peak: number;
  private readonly timer: NodeJS.Timeout;

  constructor(proxy: LoadedProxy) {
    this.proxy = proxy;
    this.before = proxy.memory;
    this.peak = this.before;
    this.timer = setInterval(() => this.look(), 50);
  }

  /** Bytes above what there was in the beginning, at most. */
  stop(): number {
    clearInterval(this.timer);
    this.look();
    return this.peak - this.before;
  }

  private look(): void {
    this.peak = Math.max(this.peak, this.proxy.memory);
  }
}
