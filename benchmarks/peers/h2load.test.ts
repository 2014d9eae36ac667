import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseH2load } from './h2load.ts';

const report = `starting benchmark...
spawning thread #0: 8 total client(s). 2000 total requests
progress: 100% done

finished in 933.44ms, 2142.61 req/s, 214.35MB/s
requests: 2000 total, 2000 started, 2000 done, 1998 succeeded, 2 failed, 0 errored, 0 timeout
status codes: 1998 2xx, 0 3xx, 0 4xx, 2 5xx
traffic: 1.95GB (2098555832) total, 6.05KB (6200) headers (space savings 93.92%), 1.95GB (2097312000) data
                     min         max         mean         sd        +/- sd
time for request:     1.19ms    176.89ms     66.83ms     24.32ms    72.60%
time for connect:      108us       331us       203us        71us    75.00%
`;

test('reads what h2load prints', () => {
  assert.deepEqual(parseH2load(report), {
    answered: 1998,
    bodyBytes: 2_097_312_000,
    durationUs: 933_440,
    meanUs: 66_830,
    errors: 2,
  });
});

test('a report that is none is refused', () => {
  assert.throws(() => parseH2load('spawning thread #0'), /no result/);
});
