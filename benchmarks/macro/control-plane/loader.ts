// The simulated proxies of a measurement, in a process of their own.
import { silentLogger, systemClock, systemRandom, type Result } from '@heddle/base';
import {
  acceptIssuedCertificate,
  importPrivateKey,
  parseSpiffeId,
  parseTrustBundle,
  parseTrustDomain,
  type TrustBundle,
} from '@heddle/identity';
import { connectToControlPlane } from '@heddle/proxy/control-plane-link';
import { openTransport } from '@heddle/proxy/open-transport';
import { answerQuestions } from './answering.ts';
import {
  machineMs,
  usage,
  type Change,
  type ConnectRequest,
  type Credentials,
  type Latencies,
  type LoaderQuestion,
  type LoadProgress,
} from './messages.ts';
import type { SeenResponse } from './read-response.ts';
import { SimulatedProxy } from './simulated-proxy.ts';

const clock = systemClock;
const transport = openTransport(clock, silentLogger);

function taken<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

/** The proxies, and when they had got what. */
class Load {
  private readonly proxies: SimulatedProxy[] = [];
  private readonly readyAt: number[] = [];
  /** By type and name, of what complete proxies were sent: when each got it last. The empty name stands for any of the type. */
  private readonly seen = new Map<string, Map<string, Float64Array>>();
  private ready = 0;
  private lastReadyAt = 0;
  private reconnects = 0;

  connect({ server, proxies, withinMs, services }: ConnectRequest): void {
    const trustDomain = taken(parseTrustDomain('cluster.local'));
    const bundle = taken(parseTrustBundle(trustDomain, server.bundlePem));
    const identities = server.credentials.map((one) => identityOf(one, bundle, server.address));
    const began = machineMs();
    for (let index = 0; index < proxies; index++) {
      const credentials = server.credentials[index % server.credentials.length]!;
      const rpc = connectToControlPlane({
        identity: identities[index % identities.length]!,
        transport,
        clock,
        random: systemRandom,
        logger: silentLogger,
      });
      const plan = { index, namespace: credentials.namespace, services, rpc };
      this.proxies.push(new SimulatedProxy(plan, this));
    }
    let next = 0;
    const timer = setInterval(() => {
      const due = Math.min(proxies, Math.ceil(((machineMs() - began) / withinMs) * proxies));
      while (next < due) this.proxies[next++]!.connect();
      if (next === proxies) clearInterval(timer);
    }, 5);
  }

  onAcknowledged(proxy: SimulatedProxy, { typeUrl, names }: SeenResponse): void {
    const now = machineMs();
    if (this.readyAt[proxy.index] === undefined && proxy.isComplete) {
      this.readyAt[proxy.index] = now;
      this.ready++;
      this.lastReadyAt = now;
    }
    // A first state holds everything, and interests nobody.
    if (this.readyAt[proxy.index] === undefined) return;
    for (const name of names) this.timesOf(typeUrl, name)[proxy.index] = now;
    this.timesOf(typeUrl, '')[proxy.index] = now;
  }

  onLost(proxy: SimulatedProxy): void {
    this.reconnects++;
    setTimeout(() => proxy.connect(), 1000);
  }

  progress(): LoadProgress {
    return {
      ready: this.ready,
      lastReadyAt: this.lastReadyAt,
      reconnects: this.reconnects,
      responses: this.proxies.reduce((sum, { responses }) => sum + responses, 0),
      bytes: this.proxies.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Waits until all proxies that were complete when the change was made have it. */
  async latencies({ at, typeUrl, name }: Change, timeoutMs: number): Promise<Latencies> {
    const times = this.timesOf(typeUrl, name);
    const concerned = this.proxies.filter(({ index }) => (this.readyAt[index] ?? Infinity) < at);
    const until = at + timeoutMs;
    while (machineMs() < until && concerned.some(({ index }) => times[index]! < at)) {
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    const ms = concerned.map(({ index }) => times[index]! - at).filter((one) => one >= 0);
    return { expected: concerned.length, ms: ms.sort((a, b) => a - b) };
  }

  private timesOf(typeUrl: string, name: string): Float64Array {
    let byName = this.seen.get(typeUrl);
    if (byName === undefined) {
      byName = new Map();
      this.seen.set(typeUrl, byName);
    }
    let times = byName.get(name);
    if (times === undefined) {
      times = new Float64Array(this.proxies.length);
      byName.set(name, times);
    }
    return times;
  }
}

function identityOf(credentials: Credentials, bundle: TrustBundle, xdsAddress: string) {
  const key = taken(importPrivateKey(credentials.privateKey));
  const id = taken(parseSpiffeId(credentials.id));
  const certificate = taken(
    acceptIssuedCertificate(key, id, credentials.certificateChain, bundle, clock.now()),
  );
  return { id, xdsAddress, certificate, bundle };
}

const load = new Load();

answerQuestions((question: LoaderQuestion) => {
  switch (question.ask) {
    case 'connect':
      return load.connect(question);
    case 'progress':
      return load.progress();
    case 'latencies':
      return load.latencies(question.change, question.timeoutMs);
    default:
      return usage();
  }
});
