// One proxy under comparison with its upstream: started on a setup, asked for its counters, put through cases.
import { writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, freePort, startChild, waitForPort } from '@heddle/testkit';
import { type SetupName, bootstrapOf, hasLogs, logFileOf, upstreamProtocol } from '../setups.ts';
import type { DifferentialCase, Observation, SeenMessage, Step, StreamRequest } from './case.ts';
import type { Certificates } from './certificates.ts';
import { Client } from './client.ts';
import { Http2Client } from './http2-client.ts';
import { LogReader } from './log-reader.ts';
import { Http2Upstream } from './http2-upstream.ts';
import { Upstream, type UpstreamServer } from './upstream.ts';

/** How long an event may take that should come at once, on a busy machine. */
const eventMs = 4000;
/** How long a counter may take to follow what it counts. */
const countMs = 1500;

/** A proxy's command line on a configuration file. */
export interface Program {
  readonly name: string;
  readonly program: string;
  readonly arguments: (file: string) => readonly string[];
}

export class Side {
  readonly name: string;
  private readonly port: number;
  private readonly admin: number;
  private readonly child: Child;
  private readonly upstream: UpstreamServer;
  private readonly certificates: Certificates;
  /** Null where the setup has no access log. */
  private readonly log: LogReader | null;

  private constructor(
    name: string,
    port: number,
    admin: number,
    child: Child,
    upstream: UpstreamServer,
    certificates: Certificates,
    log: LogReader | null,
  ) {
    this.name = name;
    this.port = port;
    this.admin = admin;
    this.child = child;
    this.upstream = upstream;
    this.certificates = certificates;
    this.log = log;
  }

  /** Starts the proxy; in `directory` is the authority's certificate that its TLS listeners show, with its key. */
  static async start(
    { name, program, arguments: parameters }: Program,
    setup: SetupName,
    directory: string,
    certificates: Certificates,
  ): Promise<Side> {
    const speaks = upstreamProtocol(setup);
    const upstream =
      speaks === undefined
        ? await Upstream.start()
        : await Http2Upstream.start(speaks === 'http2' ? null : certificates.server);
    const [port, admin] = [await freePort(), await freePort()];
    const file = join(directory, `${name}-${setup}.json`);
    await writeFile(
      file,
      JSON.stringify(bootstrapOf(setup, { port, admin, upstream: upstream.port }), null, 2),
    );
    // A port may come again in one run: what an earlier process wrote under its name is none of this one's.
    await rm(join(directory, logFileOf({ port })), { force: true });
    const child = await startChild(program, { name, arguments: parameters(file), directory });
    try {
      await Promise.race([
        Promise.all([waitForPort(port), waitForPort(admin)]),
        child.ended(30_000).then(() => Promise.reject(new Error(`${name} ended:\n${child.output}`))),
      ]);
    } catch (error) {
      await child.stop();
      await upstream.close();
      throw error;
    }
    const flush = (): Promise<unknown> =>
      fetch(`http://127.0.0.1:${admin}/reopen_logs`, { method: 'POST' }).then((response) => response.text());
    const log = hasLogs(setup) ? new LogReader(join(directory, logFileOf({ port })), flush) : null;
    return new Side(name, port, admin, child, upstream, certificates, log);
  }

  async close(): Promise<void> {
    await this.child.stop();
    await this.upstream.close();
  }

  /** Does what the case says and tells what happened. */
  async observe(one: DifferentialCase): Promise<Observation> {
    this.upstream.begin(one);
    const before = await this.counters();
    if (typeof one.client === 'object' && 'requests' in one.client)
      return this.observeStreams(one, one.client.requests, before);
    const client = new Client(this.port, one.tls, this.certificates);
    try {
      const stalled = await this.perform(client, stepsOf(one));
      const counters = await this.moved(before, one.counters);
      const log = (await this.log?.next(countMs)) ?? [];
      const { all } = one.raw === true ? { all: [] } : client.responses();
      const isTunnel = all.some(({ line }) => line.startsWith('HTTP/1.1 101'));
      const isStream = one.raw === true || isTunnel;
      const isOpen = isStream ? !client.isClosed : await client.isOpen(eventMs);
      return {
        responses: all,
        received: isStream ? client.text.slice(client.text.indexOf('\r\n\r\n') + 4) : '',
        connection: isOpen ? 'open' : 'closed',
        upstream: this.upstream.requests,
        upstreamBytes: isStream ? this.upstream.bytes : '',
        counters,
        log,
        stalled,
      };
    } finally {
      client.destroy();
      this.upstream.end();
      await this.settle();
    }
  }

  private async observeStreams(
    one: DifferentialCase,
    requests: readonly StreamRequest[],
    before: ReadonlyMap<string, number>,
  ): Promise<Observation> {
    const client = new Http2Client(this.port);
    try {
      const responses: SeenMessage[] = [];
      let stalled = '';
      for (const request of requests) {
        const response = await client.ask(request, eventMs);
        if (response === null) stalled = JSON.stringify(request);
        else responses.push(response);
      }
      const counters = await this.moved(before, one.counters);
      const log = (await this.log?.next(countMs)) ?? [];
      const connection = (await client.isOpen(eventMs)) ? 'open' : 'closed';
      const upstream = this.upstream.requests;
      return { responses, received: '', connection, upstream, upstreamBytes: '', counters, log, stalled };
    } finally {
      client.destroy();
      this.upstream.end();
      await this.settle();
    }
  }

  /** Asks the admin interface. */
  async ask(method: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.admin}${path}`, { method });
    return { status: response.status, body: await response.text() };
  }

  private async perform(client: Client, steps: readonly Step[]): Promise<string> {
    for (const step of steps) {
      let came = true;
      if ('send' in step) client.send(step.send);
      else if ('end' in step) client.end();
      else if ('reset' in step) client.reset();
      else if ('upstreamHeads' in step)
        came = await this.upstream.changes.until(() => this.upstream.heads >= step.upstreamHeads, eventMs);
      else if ('upstreamBytes' in step)
        came = await this.upstream.changes.until(
          () => this.upstream.bytes.length >= step.upstreamBytes,
          eventMs,
        );
      else came = await client.changes.until(() => client.isClosed || isReached(client, step), eventMs);
      if (!came) return JSON.stringify(step);
    }
    return '';
  }

  /** Waits until no connection is left, so that every case begins alike. */
  private async settle(): Promise<void> {
    const limit = performance.now() + eventMs;
    while (performance.now() < limit) {
      const counters = await this.counters();
      if (isIdle(counters)) return;
    }
  }

  /** How far the counters have moved, read until they have moved as expected or the time is up. */
  private async moved(
    before: ReadonlyMap<string, number>,
    expected: Readonly<Record<string, number>>,
  ): Promise<Record<string, number>> {
    const limit = performance.now() + countMs;
    for (;;) {
      const now = await this.counters();
      const moved = Object.fromEntries(
        Object.keys(expected).map((name) => [name, (now.get(name) ?? 0) - (before.get(name) ?? 0)]),
      );
      const isReachedNow = Object.entries(expected).every(([name, by]) => moved[name] === by);
      if (isReachedNow || performance.now() > limit) return moved;
    }
  }

  private async counters(): Promise<Map<string, number>> {
    const response = await fetch(`http://127.0.0.1:${this.admin}/stats`);
    const counters = new Map<string, number>();
    for (const line of (await response.text()).split('\n')) {
      const colon = line.lastIndexOf(': ');
      if (colon <= 0) continue;
      // The listener's port is another one on either side.
      const name = line.slice(0, colon).replace(`listener.127.0.0.1_${this.port}.`, 'listener.in.');
      counters.set(name, Number(line.slice(colon + 2)));
    }
    return counters;
  }
}

function isIdle(counters: ReadonlyMap<string, number>): boolean {
  const active = [
    'cluster.be.upstream_cx_active',
    'http.in.downstream_cx_active',
    'tcp.in.downstream_cx_active',
  ];
  return active.every((name) => (counters.get(name) ?? 0) === 0);
}

function isReached(client: Client, step: Step): boolean {
  if ('responses' in step) return client.responses().final >= step.responses;
  return 'text' in step && client.text.includes(step.text);
}

function stepsOf({ client }: DifferentialCase): readonly Step[] {
  if (typeof client === 'string') return [{ send: client }, { responses: 1 }];
  return 'requests' in client ? [] : client;
}
