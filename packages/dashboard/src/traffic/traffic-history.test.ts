import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrafficEvent, TrafficResponse } from '../generated/api.ts';
import { HISTORY_SECONDS, TrafficHistory } from './traffic-history.ts';

const BASE = 1_800_000_000;

function event(second: number, requests: Record<string, number>, errors = 0): TrafficEvent {
  const services = Object.entries(requests).map(([service, requestsPerSecond]) => ({
    namespace: 'shop',
    service,
    requestsPerSecond,
    errorsPerSecond: errors,
    p50Ms: 2,
    p90Ms: 4,
    p99Ms: requestsPerSecond === 0 ? null : 8,
  }));
  return { timeMs: (BASE + second) * 1000 + 12, services };
}

function remembered(endSecond: number, requests: number[]): TrafficResponse {
  const zeros = requests.map(() => 0);
  const none = requests.map(() => null);
  return {
    intervalMs: 1000,
    endMs: (BASE + endSecond) * 1000,
    services: [{ namespace: 'shop', service: 'reviews', requests, errors: zeros, p50Ms: none, p99Ms: none }],
  };
}

const reviews = (history: TrafficHistory, seconds: number): number[] => [
  ...history.window('shop', 'reviews', seconds).requests,
];

test('joins what is remembered and what is streamed, in whichever order they arrive', () => {
  const streamFirst = new TrafficHistory();
  streamFirst.append(event(3, { reviews: 30 }));
  streamFirst.load(remembered(2, [1, 2]));
  const loadFirst = new TrafficHistory();
  loadFirst.load(remembered(2, [1, 2]));
  loadFirst.append(event(3, { reviews: 30 }));
  assert.deepEqual(reviews(streamFirst, 4), [NaN, 1, 2, 30]);
  assert.deepEqual(reviews(loadFirst, 4), [NaN, 1, 2, 30]);
});

test('keeps a second that nobody reported apart from one without requests', () => {
  const history = new TrafficHistory();
  history.append(event(0, { reviews: 5 }));
  history.append(event(2, { other: 1 }));
  assert.deepEqual(reviews(history, 3), [5, NaN, 0]);
});

test('knows that a service which appears was silent before', () => {
  const history = new TrafficHistory();
  history.append(event(0, { other: 1 }));
  history.append(event(1, { reviews: 4 }));
  assert.deepEqual(reviews(history, 2), [0, 4]);
});

test('forgets what is older than its window, also after a long silence', () => {
  const history = new TrafficHistory();
  history.append(event(0, { reviews: 5 }));
  history.append(event(HISTORY_SECONDS, { reviews: 6 }));
  const values = reviews(history, HISTORY_SECONDS);
  assert.equal(values.filter((value) => !Number.isNaN(value)).length, 1);
  assert.equal(values.at(-1), 6);
  history.append(event(10 * HISTORY_SECONDS, { reviews: 7 }));
  assert.deepEqual(
    reviews(history, HISTORY_SECONDS).filter((value) => !Number.isNaN(value)),
    [7],
  );
});

test('does not take an old second for one of five minutes later', () => {
  const history = new TrafficHistory();
  for (let second = 0; second < 10; second++) history.append(event(second, { reviews: 5 }));
  history.append(event(HISTORY_SECONDS + 5, { reviews: 6 }));
  assert.deepEqual(reviews(history, 7), [NaN, NaN, NaN, NaN, NaN, NaN, 6]);
});

test('drops an event that is older than its window', () => {
  const history = new TrafficHistory();
  history.append(event(HISTORY_SECONDS, { reviews: 6 }));
  history.append(event(0, { reviews: 99 }));
  assert.deepEqual(reviews(history, 1), [6]);
  assert.equal(history.endSecond, BASE + HISTORY_SECONDS);
});

test('takes the mean over the known seconds of a window', () => {
  const history = new TrafficHistory();
  for (let second = 0; second < 20; second++)
    history.append(event(second, { reviews: second < 10 ? 100 : 4 }, 1));
  assert.deepEqual(history.rate('shop', 'reviews', 10), { requestsPerSecond: 4, errorsPerSecond: 1 });
  assert.equal(history.rate('shop', 'absent', 10), null);
});

test('adds all services up', () => {
  const history = new TrafficHistory();
  history.append(event(0, { reviews: 5, ratings: 2 }));
  history.append(event(2, { reviews: 1 }));
  assert.deepEqual([...history.total(3).requests], [7, NaN, 1]);
});

test('holds a null latency apart from zero', () => {
  const history = new TrafficHistory();
  history.append(event(0, { reviews: 0 }));
  assert.deepEqual([...history.window('shop', 'reviews', 1).p99Ms], [NaN]);
  assert.deepEqual([...history.window('shop', 'reviews', 1).p50Ms], [2]);
});
