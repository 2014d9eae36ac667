// Requests at a constant rate, whether or not they are answered: what a failed one would have met is not hidden.
import { Agent } from 'node:http';
import { eventually } from '@heddle/testkit';
import { type Answer, type Call, send } from './requests.ts';

export interface FailedRequest {
  /** When it was sent, on the clock of `performance.now()`. */
  readonly atMs: number;
  readonly reason: string;
}

export interface LoadReport {
  readonly sent: number;
  readonly failures: readonly FailedRequest[];
  /** Requests sent per second. */
  readonly rate: number;
  /** Requests sent in the worst second: a busy machine sends late, and then what is due at once. */
  readonly lowestRate: number;
  readonly seconds: number;
  /** The slowest answer, in milliseconds. */
  readonly slowestMs: number;
}

const tickMs = 5;

/** Why an answer is a failure; empty where it is none. */
export type Judge = (answer: Answer) => string;

const judgeByStatus: Judge = ({ status, body }) => (status === 200 ? '' : `${status} ${body.slice(0, 200)}`);

/** A load that runs until `stop`. */
export class Load {
  readonly failures: FailedRequest[] = [];
  private readonly call: Call;
  private readonly perSecond: number;
  private readonly judge: Judge;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: 'lifo' });
  private readonly startedAt = performance.now();
  private readonly timer: NodeJS.Timeout;
  private readonly bySecond: number[] = [];
  private sent = 0;
  private answered = 0;
  private slowestMs = 0;

  constructor(call: Call, perSecond: number, judge: Judge = judgeByStatus) {
    this.call = call;
    this.perSecond = perSecond;
    this.judge = judge;
    this.timer = setInterval(() => this.sendDue(), tickMs);
  }

  /** How many were answered, well or badly. */
  get answers(): number {
    return this.answered;
  }

  /** Resolves when `count` more requests have been answered. */
  async more(count: number): Promise<void> {
    const target = this.answered + count;
    await eventually(`${count} more requests are answered`, () => this.answered >= target, 30_000, tickMs);
  }

  /** Sends no more; resolves when all that was sent is answered. */
  async stop(): Promise<LoadReport> {
    clearInterval(this.timer);
    const seconds = (performance.now() - this.startedAt) / 1000;
    await eventually('all requests are answered', () => this.answered === this.sent, 15_000, tickMs);
    this.agent.destroy();
    const whole = this.bySecond.slice(0, Math.floor(seconds));
    const { sent, failures, slowestMs } = this;
    return { sent, failures, seconds, slowestMs, rate: sent / seconds, lowestRate: Math.min(...whole) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.timer);
    this.agent.destroy();
    await Promise.resolve();
  }

  private sendDue(): void {
    const elapsedMs = performance.now() - this.startedAt;
    for (const due = (elapsedMs / 1000) * this.perSecond; this.sent < due; this.sent++) {
      const second = Math.floor(elapsedMs / 1000);
      this.bySecond[second] = (this.bySecond[second] ?? 0) + 1;
      void this.sendOne();
    }
  }

  private async sendOne(): Promise<void> {
    const atMs = performance.now();
    const failed = (reason: string): void => void this.failures.push({ atMs, reason });
    try {
      const reason = this.judge(await send({ ...this.call, agent: this.agent }));
      if (reason !== '') failed(reason);
    } catch (error) {
      failed(String(error));
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - atMs);
    this.answered++;
  }
}

/** One line about a load, for a test's diagnostics. */
export function describeLoad(report: LoadReport): string {
  const [first] = report.failures;
  return (
    `${report.sent} requests in ${report.seconds.toFixed(1)} s, at least ${report.lowestRate} in each second, ` +
    `${report.failures.length} failed${first === undefined ? '' : ` (first: ${first.reason.trim()})`}, ` +
    `slowest ${report.slowestMs.toFixed(0)} ms`
  );
}
