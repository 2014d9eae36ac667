// What applications ask of each other: drawn from the seed, sent through their own sidecar's outbound listeners.
import type { Timer } from '@heddle/base';
import type { SeededRandom } from '@heddle/testkit';
import { bodyHash, drawBody } from './body.ts';
import type { Echo } from './echo-application.ts';
import type { HttpReply, HttpRequest } from './http-client.ts';
import type { RequestRecord } from './request-record.ts';
import { testUser, userHeader } from './routing-rules.ts';
import { hostOf, ports, serviceNames } from './topology.ts';
import type { Workload } from './workload.ts';

export interface TrafficOptions {
  readonly random: SeededRandom;
  /** Mean time between two requests of one application. */
  readonly meanGapMs: number;
  nowMs(): number;
  onFinished(record: RequestRecord): void;
}

const bodySizes = [
  { share: 0.55, low: 0, high: 0 },
  { share: 0.3, low: 1, high: 3000 },
  { share: 0.11, low: 3000, high: 40_000 },
  { share: 0.04, low: 40_000, high: 200_000 },
] as const;

export class Traffic {
  readonly records: RequestRecord[] = [];
  private readonly options: TrafficOptions;
  private isOn = false;

  constructor(options: TrafficOptions) {
    this.options = options;
  }

  start(): void {
    this.isOn = true;
  }

  /** No new requests; those under way go on. */
  stop(): void {
    this.isOn = false;
  }

  /** Lets an application send until the returned function is called or its process ends. */
  drive(workload: Workload): () => void {
    const random = this.options.random.fork(`${workload.plan.id} ${this.options.nowMs()}`);
    const { clock } = workload;
    let timer: Timer;
    const next = (): void => {
      const gapMs = -Math.log(1 - random.float()) * this.options.meanGapMs;
      timer = clock.setTimer(gapMs, () => {
        if (this.isOn) this.send(workload, random);
        next();
      });
    };
    next();
    return () => timer.cancel();
  }

  private send(workload: Workload, random: SeededRandom): void {
    const { client } = workload;
    if (client === null) return;
    const target = random.pick(serviceNames);
    const user = random.chance(0.25) ? testUser : '';
    const request = drawRequest(workload, random, target, user);
    const record: RequestRecord = {
      id: this.records.length,
      source: workload.plan.id,
      target,
      user,
      startMs: this.options.nowMs(),
      configuration: workload.configurationVersion,
      requestHash: bodyHash(request.body),
      outcome: null,
    };
    this.records.push(record);
    client.send(request, (reply) => {
      record.outcome = { endMs: this.options.nowMs(), ...judgeReply(reply) };
      this.options.onFinished(record);
    });
  }
}

function judgeReply({ status, echo, body, failure }: HttpReply): {
  status: number;
  echo: Echo | null;
  responseHash: string;
  failure: string;
} {
  return {
    status,
    // Our own application wrote it.
    echo: echo === '' ? null : (JSON.parse(echo) as Echo),
    responseHash: bodyHash(body),
    failure: status === 200 ? '' : failure || body.toString('latin1'),
  };
}

function drawRequest({ plan }: Workload, random: SeededRandom, target: string, user: string): HttpRequest {
  const body = drawBody(random, drawSize(random));
  const query = `bytes=${drawSize(random)}&delay=${random.integer(0, 20)}${random.chance(0.3) ? '&chunked' : ''}`;
  const path = `/echo?${query}`;
  const authority = `${drawName(random, target, plan.namespace)}:${ports.service}`;
  const upstream = plan.upstreams.indexOf(hostOf(target));
  const isProxied = upstream < 0 || random.chance(0.5);
  return {
    port: isProxied ? ports.outboundProxy : ports.firstUpstream + upstream,
    method: body.length > 0 ? 'POST' : 'GET',
    target: isProxied ? `http://${authority}${path}` : path,
    headers: { host: authority, ...(user === '' ? {} : { [userHeader]: user }) },
    body,
    isChunked: body.length > 0 && random.chance(0.3),
  };
}

function drawSize(random: SeededRandom): number {
  let left = random.float();
  for (const { share, low, high } of bodySizes) {
    left -= share;
    if (left < 0) return random.integer(low, high);
  }
  return 0;
}

/** A service's names as its callers know them; the shortest only within its namespace. */
function drawName(random: SeededRandom, target: string, namespace: string): string {
  const [name = '', targetNamespace] = target.split('.');
  const names = [target, `${target}.svc`, hostOf(target)];
  return random.pick(targetNamespace === namespace ? [...names, name] : names);
}
