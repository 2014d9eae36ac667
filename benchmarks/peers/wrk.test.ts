import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWrk } from './wrk.ts';

test('reads what the script prints among what wrk prints', () => {
  const report = `Running 1s test @ http://127.0.0.1:9105/
  16960 requests in 1.00s, 4.76MB read
Requests/sec:  16937.45
result {"sent":16991,"requestBytes":43,"answered":16960,"durationUs":1001330,"p50Us":1659,"p99Us":5816,"p999Us":9639,"errors":0}
`;
  const result = parseWrk(report);
  assert.deepEqual(
    [result.sent, result.answered, result.requestBytes, result.p999Us, result.errors],
    [16_991, 16_960, 43, 9639, 0],
  );
});

test('a report that is none is refused', () => {
  assert.throws(() => parseWrk('unable to connect to 127.0.0.1:1'), /no result/);
});
