// A mesh of real processes: a control plane, applications and their sidecars.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type Child, descendantsOf, eventually, temporaryDirectory } from '@heddle/testkit';
import { sidecarEntry } from '@heddle/proxy';
import type {
  ApplyResponse,
  EndpointsResponse,
  EndpointSummary,
  ProxiesResponse,
  ProxySummary,
} from '@heddle/control-plane';
import { Sandbox, stablePort, testApp } from './sandbox.ts';

export interface WorkloadOptions {
  readonly version?: string;
  /** The service's port; default 9080. */
  readonly port?: number;
  /** Further flags of `heddle run`. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** One `heddle run`. */
export class Workload {
  readonly service: string;
  readonly run: Child;

  constructor(service: string, run: Child) {
    this.service = service;
    this.run = run;
  }

  /** The instance's id; waits until it is published. */
  async instance(): Promise<string> {
    return (await this.run.line(/^heddle: (\S+) is published as /))[1]!;
  }

  /** Process id of the sidecar that runs now, 0 while there is none. */
  sidecarPid(): number {
    return descendantsOf(this.run.pid).find(({ command }) => command.includes(sidecarEntry))?.pid ?? 0;
  }

  /** The admin port of the sidecar, from the file that its supervisor has told it by. */
  async adminPort(): Promise<number> {
    const commandLine = await readFile(`/proc/${this.sidecarPid()}/cmdline`, 'utf8');
    const file = commandLine.split('\0').find((word) => word.endsWith('.json'));
    return (JSON.parse(await readFile(file!, 'utf8')) as { admin: { port: number } }).admin.port;
  }
}

/** What an application that calls others has been told: its environment. */
export interface ClientWorkload extends Workload {
  /** `http://127.0.0.1:…` of the loopback listener for `name`, as `--upstream` offers it. */
  url(name: string): string;
  /** Value of HTTP_PROXY. */
  readonly proxy: string;
}

class Client extends Workload implements ClientWorkload {
  private readonly environment: Readonly<Record<string, string>>;

  constructor(run: Child, environment: Readonly<Record<string, string>>) {
    super('client', run);
    this.environment = environment;
  }

  get proxy(): string {
    return this.environment['HTTP_PROXY']!;
  }

  url(name: string): string {
    const url = this.environment[`${name.toUpperCase()}_URL`];
    assert.ok(url !== undefined, `the client was started with --upstream ${name}`);
    return url;
  }
}

/** A control plane with its store in `.heddle`, and what is run beside it. */
export class Mesh extends Sandbox {
  /** The process of `heddle up` that runs now or ran last. */
  controlPlane!: Child;
  private readonly ports: readonly [api: number, xds: number, join: number];
  private readonly moreUpFlags: readonly string[];

  private constructor(
    directory: string,
    ports: readonly [number, number, number],
    moreUpFlags: readonly string[],
  ) {
    super(directory);
    this.ports = ports;
    this.moreUpFlags = moreUpFlags;
  }

  /** An empty directory with a control plane that answers; `upFlags` are given to it at each start. */
  static async start(upFlags: readonly string[] = []): Promise<Mesh> {
    const { path } = await temporaryDirectory('heddle-e2e');
    const mesh = new Mesh(path, [await stablePort(), await stablePort(), await stablePort()], upFlags);
    try {
      await mesh.startControlPlane();
    } catch (error) {
      await mesh[Symbol.asyncDispose]();
      throw error;
    }
    return mesh;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.ports[0]}`;
  }

  get joinAddress(): string {
    return `127.0.0.1:${this.ports[2]}`;
  }

  /** The flags of `heddle up` that give it this mesh's ports. */
  get upFlags(): readonly string[] {
    const [api, xds, join] = this.ports.map(String);
    return ['--api-port', api!, '--xds-port', xds!, '--join-port', join!];
  }

  /** Starts the control plane on the store that is there, and waits until it answers. */
  async startControlPlane(): Promise<void> {
    const child = this.startHeddle(['up', ...this.upFlags, ...this.moreUpFlags]);
    this.controlPlane = child;
    await eventually('the control plane answers', async () => {
      if (child.exit !== null) throw new Error(`heddle up ended:\n${child.output}`);
      return await fetch(`${this.apiUrl}/healthz`).then(
        (response) => response.ok,
        () => false,
      );
    });
    // It says where it is once everything is ready.
    await eventually('the store says where the control plane is', async () =>
      (await readFile(this.path('.heddle/control-plane.json'), 'utf8').catch(() => '')).includes(
        `"pid":${child.pid},`,
      ),
    );
  }

  /** Ends the control plane as the kernel's out-of-memory killer would. */
  async killControlPlane(): Promise<void> {
    this.controlPlane.kill('SIGKILL');
    await this.controlPlane.ended();
  }

  /** Starts an application with its sidecar; resolves at once. */
  startWorkload(service: string, command: readonly string[], options: WorkloadOptions = {}): Workload {
    const { version, port = 9080, flags = [], environment = {} } = options;
    const run = this.startHeddle(
      [
        'run',
        ...['--service', service, '--port', String(port)],
        ...(version === undefined ? [] : ['--version', version]),
        ...flags,
        '--',
        ...command,
      ],
      { name: `heddle run ${service} ${version ?? ''}`, environment },
    );
    return new Workload(service, run);
  }

  /** Starts an application with its sidecar; resolves when it is published. */
  async publish(service: string, command: readonly string[], options?: WorkloadOptions): Promise<Workload> {
    const workload = this.startWorkload(service, command, options);
    await workload.instance();
    return workload;
  }

  /** Starts a workload that nobody calls, through whose sidecar a test can call `upstreams` (`reviews:9080`). */
  async client(upstreams: readonly string[], flags: readonly string[] = []): Promise<ClientWorkload> {
    const upstreamFlags = upstreams.flatMap((upstream) => ['--upstream', upstream]);
    const command = [process.execPath, testApp('client.ts')];
    const { run } = this.startWorkload('client', command, { port: 0, flags: [...upstreamFlags, ...flags] });
    const [, environment] = await run.line(/^environment (\{.*\})$/);
    return new Client(run, JSON.parse(environment!) as Record<string, string>);
  }

  /** Asks the API with the administrator's token. */
  async api<T>(path: string, body?: unknown): Promise<T> {
    const token = (await readFile(this.path('.heddle/admin-token'), 'utf8')).trim();
    const response = await fetch(`${this.apiUrl}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Applies YAML; resolves when it has been acknowledged. */
  async apply(text: string, namespace = 'default'): Promise<ApplyResponse> {
    return await this.api<ApplyResponse>('apply', {
      files: [{ name: 'test.yaml', text }],
      namespace,
      strict: false,
      dryRun: false,
    });
  }

  async endpoints(): Promise<readonly EndpointSummary[]> {
    return (await this.api<EndpointsResponse>('endpoints')).endpoints;
  }

  async proxies(): Promise<readonly ProxySummary[]> {
    return (await this.api<ProxiesResponse>('proxies')).proxies;
  }

  /** Waits until these many sidecars are connected and have acknowledged all they were sent. */
  async synced(count: number): Promise<void> {
    await eventually(`${count} proxies are synced`, async () => {
      const proxies = await this.proxies();
      return proxies.length === count && proxies.every(isSynced);
    });
  }
}

function isSynced({ types, rejected }: ProxySummary): boolean {
  return (
    rejected.length === 0 && types.lds !== undefined && Object.values(types).every(({ synced }) => synced)
  );
}
