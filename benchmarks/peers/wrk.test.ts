import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTable, summarize } from './report.ts';
import { parseWrk } from './wrk.ts';

const report = `Running 5s test @ http://127.0.0.1:9105/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.05ms  312.00us   9.43ms   92.11%
    Req/Sec    30.61k     1.52k   33.14k    72.00%
  Latency Distribution
     50%  982.00us
     75%    1.12ms
     90%    1.32ms
     99%    2.11ms
  152285 requests in 5.00s, 35.14MB read
Requests/sec:  30451.21
Transfer/sec:      7.03MB
`;

test('reads what wrk prints', () => {
  assert.deepEqual(parseWrk(report), {
    requests: 152_285,
    requestsPerSecond: 30_451.21,
    p50Ms: 0.982,
    p99Ms: 2.11,
    errors: 0,
  });
});

test('counts failed connections and bad responses', () => {
  const troubled = report.replace(
    'Requests/sec',
    '  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 100\nRequests/sec',
  );
  assert.equal(parseWrk(troubled).errors, 110);
});

test('a report that is none is refused', () => {
  assert.throws(() => parseWrk('unable to connect to 127.0.0.1:1'), /no result/);
});

test('the table compares medians, Heddle to each', () => {
  const one = (peer: string, cpuUsPerRequest: number) => ({
    ...parseWrk(report),
    peer,
    cpuUsPerRequest,
    residentBytes: 50 * 1048576,
    privateBytes: 10 * 1048576,
  });
  const measurements = [
    one('nginx', 20),
    one('heddle', 14),
    one('nginx', 10),
    one('heddle', 12),
    one('nginx', 12),
  ];
  const summaries = summarize(measurements, new Map([['heddle', 9 * 1048576]]));
  assert.equal(summaries[0]!.cpuUsPerRequest, 12);
  assert.equal(summaries[0]!.heddleRatio, 1);
  assert.match(renderTable(summaries), /^nginx +12\.0 .* 1\.00 × nginx$/m);
  assert.match(renderTable(summaries), /^heddle +12\.0 .* 9\.0 /m);
});
