import { startChild, type Child } from '../process/child.ts';
import { findProgram } from '../process/programs.ts';
import { freePort, waitForPort } from '../process/ports.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../process/temporary.ts';

/** Paths of PEM files: the server's certificate, and the root of those that it takes of clients. */
export interface EtcdTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A real etcd of one member, in a directory of its own. */
export class EtcdServer implements AsyncDisposable {
  /** `host:port`. */
  readonly endpoint: string;
  private readonly directory: TemporaryDirectory;
  private readonly command: readonly string[];
  private child: Child | null = null;

  private constructor(
    directory: TemporaryDirectory,
    [clientPort, peerPort]: readonly [number, number],
    tls: EtcdTls | undefined,
  ) {
    this.directory = directory;
    this.endpoint = `127.0.0.1:${clientPort}`;
    const client = `${tls === undefined ? 'http' : 'https'}://${this.endpoint}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    this.command = [
      ...['--data-dir', `${directory.path}/data`, '--log-level', 'error', '--logger', 'zap'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `default=${peer}`],
      ...(tls === undefined
        ? []
        : [
            '--cert-file',
            tls.certificate,
            '--key-file',
            tls.key,
            '--trusted-ca-file',
            tls.ca,
            '--client-cert-auth',
          ]),
    ];
  }

  /** Debian's `etcd-server`, or whatever `etcd` is in PATH; null where there is none. */
  static find(): string | null {
    return findProgram('etcd');
  }

  /** Starts it; resolves when it listens. With `tls` it wants certificates of its clients. */
  static async start(tls?: EtcdTls): Promise<EtcdServer> {
    const directory = await temporaryDirectory('heddle-etcd');
    const server = new EtcdServer(directory, [await freePort(), await freePort()], tls);
    await server.restart();
    return server;
  }

  /** Starts it again after `kill`, on what it has stored. */
  async restart(): Promise<void> {
    const program = EtcdServer.find() ?? 'etcd';
    // etcd warns of every architecture but amd64 and stops there unless it is told.
    const environment = { ETCD_UNSUPPORTED_ARCH: process.arch };
    this.child = await startChild(program, { arguments: this.command, environment, name: 'etcd' });
    await waitForPort(Number(this.endpoint.split(':')[1]));
  }

  /** Ends it at once, as a machine that fails does. */
  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.child?.ended();
    this.child = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.directory[Symbol.asyncDispose]();
  }
}
