// What the HTTP/1.1 codec of the data plane makes of the inputs of a strict parser's test suite: whole, and cut in two at
// every place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SeenMessage } from '../differential/support/case.ts';
import { MemoryProxy } from '../support/memory-proxy.ts';
import { type ExpectedMessage, type ParsingCase, Score, type Verdict } from './http1-case.ts';
import { http1Deviations } from './http1-deviations.ts';
import { type Outcome, bytesOf, essence, replayRequest, replayResponse } from './http1-replay.ts';
import { suiteFolder } from './model-data.ts';

const suite = 'http1-parsing';
const folder = suiteFolder(suite);

/** Fields that concern one hop, or that the proxy writes in its own name. */
const notPassedOn: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'expect', 'trailer', 'http2-settings'],
  ...['proxy-authorization', 'proxy-authenticate', 'transfer-encoding', 'date', 'server', 'host'],
]);

const host = 'Host: conformance.example\r\n';

/** The input with a Host for each message of HTTP/1.1 that has none: what the suite leaves out is not what it tests. */
function withHost(input: string, messages: readonly ExpectedMessage[]): string {
  const starts = messages.length === 0 ? [0] : messages.map(({ offset }) => offset);
  let text = input;
  for (const start of starts.toReversed()) {
    const head = /^\r?\n?[^\r\n]+ HTTP\/1\.1\r\n/.exec(text.slice(start));
    const end = text.indexOf('\r\n\r\n', start);
    if (head === null || /\nhost:/i.test(text.slice(start, end < 0 ? undefined : end))) continue;
    const at = start + head[0].length;
    text = text.slice(0, at) + host + text.slice(at);
  }
  return text;
}

function differsFrom(expected: ExpectedMessage, seen: SeenMessage, isRequest: boolean): string {
  const nominated = new Set(
    (expected.headers ?? [])
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((item) => item.trim().toLowerCase())),
  );
  const line = seen.line.split(' ');
  if (isRequest && expected.method !== undefined && line[0] !== expected.method) return `method ${line[0]}`;
  const path = expected.url
    ?.replace(/^https?:\/\/[^/?]*/, '')
    .replace(/^(?!\/)/, (start) => (expected.url === '*' ? start : '/'));
  if (isRequest && path !== undefined && line[1] !== path && line[1] !== expected.url)
    return `target ${line[1]}`;
  if (!isRequest && expected.status !== undefined && Number(line[1]) !== expected.status)
    return `status ${line[1]}`;
  for (const [name, value] of expected.headers ?? []) {
    const lower = name.toLowerCase();
    if (notPassedOn.has(lower) || nominated.has(lower)) continue;
    if (lower === 'content-length' && seen.framing !== 'length') continue;
    if (!seen.fields.includes(`${lower}: ${Buffer.from(value.trim(), 'utf8').toString('latin1')}`))
      return `no field ${name}: ${value}`;
  }
  const body = expected.bodyBase64 === undefined ? '' : bytesOf(expected.bodyBase64);
  return seen.body === body ? '' : `body ${JSON.stringify(seen.body)} instead of ${JSON.stringify(body)}`;
}

interface Judged {
  readonly verdict: Verdict;
  readonly reason: string;
}

class Judge {
  private readonly proxy: MemoryProxy;

  constructor(proxy: MemoryProxy) {
    this.proxy = proxy;
  }

  judge(one: ParsingCase): Judged {
    if ((one.lenient ?? []).length > 0) return { verdict: 'skipped', reason: 'there is no lenient mode' };
    if (one.type === 'url') return { verdict: 'skipped', reason: 'targets are not taken apart' };
    if (one.type === 'request' && one.skipBody === true) {
      return { verdict: 'skipped', reason: 'a request whose body is not read' };
    }
    const input = bytesOf(one.inputBase64);
    const messages = one.expected.messages ?? [];
    const inputs = one.type === 'request' ? [...new Set([input, withHost(input, messages)])] : [input];
    let judged: Judged = { verdict: 'passed', reason: '' };
    for (const text of inputs) {
      judged = this.judgeInput(one, text);
      if (judged.verdict === 'failed') return judged;
      const cut = this.findCut(one, text);
      if (cut >= 0) return { verdict: 'failed', reason: `another result when cut after ${cut} bytes` };
    }
    // The verdict is that of the input that has everything a request needs.
    return judged;
  }

  private judgeInput(one: ParsingCase, input: string): Judged {
    const outcome = this.replay(one, [input]);
    const expected = (one.expected.messages ?? []).filter(({ complete }) => complete === true);
    return one.expected.outcome === 'error'
      ? this.judgeRefused(one, input, outcome, expected.length)
      : this.judgeAccepted(one, input, outcome, expected);
  }

  /** The data refuses: nothing behind what was complete may be passed on, and the peer hears of it. */
  private judgeRefused(one: ParsingCase, input: string, outcome: Outcome, complete: number): Judged {
    const fail = (reason: string): Judged => ({ verdict: 'failed', reason });
    if (outcome.messages.length > complete) return fail(`passed on ${outcome.messages.length} messages`);
    if (outcome.refusal !== '' || outcome.isClosed) return { verdict: 'passed', reason: '' };
    // Not enough came to tell: the end of the head must.
    const longer = this.replay(one, [`${input}\r\n\r\n`]);
    return longer.messages.length > complete ? fail('accepted') : { verdict: 'passed', reason: '' };
  }

  private judgeAccepted(
    one: ParsingCase,
    input: string,
    outcome: Outcome,
    expected: readonly ExpectedMessage[],
  ): Judged {
    if (outcome.refusal !== '') {
      const covered = http1Deviations.some(({ covers }) => covers(outcome.refusal, input));
      return { verdict: covered ? 'deviates' : 'failed', reason: `refused: ${outcome.refusal}` };
    }
    const isRequest = one.type === 'request';
    // A response that nobody asked for is dropped with its connection: only the first one has a request.
    const wanted = isRequest ? expected : firstResponse(one.expected.messages ?? []);
    const finals = outcome.messages.filter(({ line }) => isRequest || !line.includes(' 1'));
    for (const [index, message] of wanted.entries()) {
      const seen = finals[index];
      if (seen === undefined) return { verdict: 'failed', reason: `message ${index} was not passed on` };
      const difference = differsFrom(message, seen, isRequest);
      if (difference !== '') return { verdict: 'failed', reason: `message ${index}: ${difference}` };
    }
    if (finals.length > Math.max(wanted.length, isRequest ? 0 : 1)) {
      return { verdict: 'failed', reason: `${finals.length} messages were passed on` };
    }
    return { verdict: 'passed', reason: '' };
  }

  private findCut(one: ParsingCase, input: string): number {
    const whole = essence(this.replay(one, [input]));
    for (let cut = 1; cut < input.length; cut++) {
      if (essence(this.replay(one, [input.slice(0, cut), input.slice(cut)])) !== whole) return cut;
    }
    return -1;
  }

  private replay(one: ParsingCase, pieces: readonly string[]): Outcome {
    if (one.type === 'request') return replayRequest(this.proxy, pieces);
    return replayResponse(this.proxy, pieces, {
      isHead: one.skipBody === true,
      endsAfter: one.endOfInput === true,
    });
  }
}

function firstResponse(messages: readonly ExpectedMessage[]): readonly ExpectedMessage[] {
  const final = messages.find(({ status = 0 }) => status >= 200);
  return final?.complete === true ? [final] : [];
}

const proxy = folder === undefined ? null : await MemoryProxy.start();
after(() => proxy?.close());

test('takes and refuses messages as a strict parser does', { skip: folder === undefined }, () => {
  const cases = JSON.parse(readFileSync(join(folder!, 'cases.json'), 'utf8')) as readonly ParsingCase[];
  const score = new Score(suite);
  const judge = new Judge(proxy!);
  for (const one of cases) {
    const { verdict, reason } = judge.judge(one);
    score.add(one.id, verdict, reason);
  }
  console.log(score.toString());
  assert.deepEqual(score.failures, []);
  assert.ok(score.passed > 0);
});
